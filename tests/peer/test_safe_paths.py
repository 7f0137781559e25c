"""No remote name leaves its folder, lies about what it is, or takes the place of another."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.safe_paths import NAME_BYTES, free_path, is_risky, safe_name, safe_tree

NAMES = st.text(max_size=300) | st.sampled_from(
    [
        "..",
        ".",
        "",
        "../../x",
        "C:\\x",
        "con",
        "CON.txt",
        "a/b",
        "a\\b",
        "x. ",
        "~",
        "\u202egpj.exe",
        "\0",
        "nul .tar.gz",
    ]
)
FOLDER = Path("/downloads")


@given(NAMES)
def test_any_name_becomes_one_that_every_system_takes(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) <= NAME_BYTES
    assert not set(safe) & set('<>:"/\\|?*\0')
    assert safe[-1] not in ". "
    assert safe[0] != "."
    assert safe.split(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
    assert not any(unicodedata.category(c) in {"Cc", "Co", "Cs"} for c in safe)
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert (FOLDER / safe).parent == FOLDER


@given(NAMES)
def test_a_safe_name_stays_what_it_is(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("slides.pdf", "slides.pdf"),
        ("第一课 讲义.pptx", "第一课 讲义.pptx"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.dll", "C__Windows_x.dll"),
        ("con.txt", "_con.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u200db.txt", "a\u200db.txt"),
        ("  a  b .txt. . ", "a b .txt"),
        (".bashrc", "bashrc"),
        ("", "file"),
        ("字" * 85, "字" * 85),
        ("字" * 85 + ".txt", "字" * 83 + ".txt"),
    ],
)
def test_names_keep_what_is_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(
    st.lists(st.lists(NAMES.filter(lambda n: "/" not in n and n), min_size=1, max_size=4).map("/".join), unique=True)
)
def test_the_files_of_a_folder_stay_inside_it_and_apart(paths: list[str]) -> None:
    places = safe_tree(FOLDER, paths)
    assert len(places) == len(paths)
    folded = [unicodedata.normalize("NFKC", str(place)).casefold() for place in places]
    assert len(set(folded)) == len(folded)
    directories = {str(parent) for place in places for parent in place.parents}
    for place in places:
        assert FOLDER in place.parents
        assert ".." not in place.parts
        assert str(place) not in directories, "a file where a folder is"


def test_files_of_one_directory_stay_together() -> None:
    first, second, third = safe_tree(FOLDER, ["A/x", "A/y", "a/x"])
    assert first.parent == second.parent == FOLDER / "A"
    assert third == FOLDER / "a (2)" / "x"


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    assert free_path(tmp_path / "not there yet", "x.txt") == tmp_path / "not there yet" / "x.txt"
    (tmp_path / "Slides.pdf").touch()
    assert free_path(tmp_path, "slides.PDF") == tmp_path / "slides (2).PDF"
    (tmp_path / "slides (2).pdf").touch()
    assert free_path(tmp_path, "slides.PDF") == tmp_path / "slides (3).PDF"


def test_a_clash_of_long_names_still_fits(tmp_path: Path) -> None:
    name = "字" * 83 + ".txt"
    (tmp_path / name).touch()
    again = free_path(tmp_path, name)
    assert again.name.endswith(" (2).txt")
    assert len(again.name.encode()) <= NAME_BYTES
    again.touch()


@pytest.mark.parametrize("name", ["setup.exe", "x.EXE", "run.desktop", "photo.jpg.scr", "a.ps1", "x.jar"])
def test_programs_are_told(name: str) -> None:
    assert is_risky(name)


@pytest.mark.parametrize("name", ["photo.jpg", "exe", "notes.txt", "exe.pdf", "song.ogg"])
def test_other_files_are_not(name: str) -> None:
    assert not is_risky(name)

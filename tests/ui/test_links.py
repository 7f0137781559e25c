import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ui.conversation.links import find_links, open_link


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.com/a?b=1&c=%20#d now", ["https://example.com/a?b=1&c=%20#d"]),
        ("https://example.com.", ["https://example.com"]),
        ("really?! http://example.com/?! yes", ["http://example.com/"]),
        ("(https://en.wikipedia.org/wiki/Hail_(album))", ["https://en.wikipedia.org/wiki/Hail_(album)"]),
        ("[https://example.com/a[1]], then", ["https://example.com/a[1]"]),
        ("**https://example.com/bold**", ["https://example.com/bold"]),
        ("请看https://example.com/课。谢谢", ["https://example.com/"]),
        ("打开www.example.com看看", ["https://www.example.com"]),
        ("（https://example.com/x），好", ["https://example.com/x"]),
        ("https://example.com/é/ü", ["https://example.com/é/ü"]),
        ("https://münchen.example/", ["https://münchen.example/"]),
        ("HTTP://EXAMPLE.COM WWW.example.org", ["HTTP://EXAMPLE.COM", "https://WWW.example.org"]),
        ("http://127.0.0.1:8000/x http://[::1]:80/", ["http://127.0.0.1:8000/x", "http://[::1]:80/"]),
        ("mailto:li.wei@example.com, or not", ["mailto:li.wei@example.com"]),
        ("https://a.example,https://b.example", ["https://a.example", "https://b.example"]),
        ("hail://10.0.0.1:7400#abcd", ["hail://10.0.0.1:7400#abcd"]),
        ("<https://example.com>", ["https://example.com"]),
        ('"https://example.com"', ["https://example.com"]),
        ("https://example.com/\u202egnp.exe", ["https://example.com/"]),
        ("😀https://example.com😀", ["https://example.com"]),
    ],
)
def test_links_are_found_without_the_sentence_around_them(text: str, urls: list[str]) -> None:
    found = find_links(text)
    assert [link.url for link in found] == urls
    assert all(link.url.endswith(text[link.start : link.end]) for link in found)


@pytest.mark.parametrize(
    "text",
    [
        "", "https://", "http://.", "www.", "www", "www.example", "mailto:", "mailto:nobody", "awww.example.com",
        "javascript:alert(1)", "file:///etc/passwd", "ftp://example.com", "data:text/html,x", "smb://host/share",
        "user@www.example.com", "xhttps://example.com", "https://-", "https:// example.com",
    ],
)  # fmt: skip
def test_what_is_no_link_stays_text(text: str) -> None:
    assert find_links(text) == ()


@pytest.mark.parametrize("text", ["http://" * 9000, "(" * 60_000, "http://a" + ")" * 60_000, "www." * 16_000])
def test_no_text_keeps_the_search_busy(text: str) -> None:
    import time

    began = time.perf_counter()
    find_links(text)
    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("https://example.com/a b", True),
        ("mailto:a@example.com", True),
        ("hail://10.0.0.1:7400#ab", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_what_a_browser_or_a_mail_program_takes_is_opened(
    url: str, opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda target: bool(asked.append(target)) or True)
    assert open_link(url) is opened
    assert len(asked) == opened

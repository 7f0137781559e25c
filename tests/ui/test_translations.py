"""Every word that a person can see or hear goes through Qt's translator."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui
from peer.errors import RefusalCode
from ui.translations.refusals import refusal_text

ROOT = Path(ui.__file__).parent
SHOWING = frozenset(
    {
        "setText", "setToolTip", "setPlaceholderText", "setAccessibleName", "setAccessibleDescription", "addAction",
        "setStatusTip", "setWindowTitle", "Text", "ElidedText", "PushButton", "set_whole", "set_label", "say",
        "show_error", "FormField", "PasswordField", "IconButton", "EmptyState", "showText", "drawText",
        "CheckBox",
    }
)  # fmt: skip
NOT_WORDS = frozenset({"Hail"})
"""The name of the product is the same everywhere."""


def literals(call: ast.Call) -> Iterator[str]:
    """Yield the words among the positional arguments; names of icons, of objects and of roles are no words."""
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            text = argument.value
            if any(letter.isupper() or letter.isspace() for letter in text) and text not in NOT_WORDS:
                yield text


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_word_escapes_the_translator(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in SHOWING]
    assert [text for call in calls for text in literals(call)] == []


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_translated_is_a_whole_literal(path: Path) -> None:
    # lupdate reads the source: it does not see what is put together at run time.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if called(call) == "tr":
            assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
        if called(call) == "translate" and len(call.args) > 1:
            assert all(isinstance(argument, ast.Constant) for argument in call.args[:2]), ast.unparse(call)


def test_a_refusal_without_words_of_ours_keeps_those_of_the_node() -> None:
    assert refusal_text(RefusalCode.PORT_IN_USE, "Port 7401 is in use.") == "Port 7401 is in use."
    assert refusal_text(RefusalCode.YOURSELF, "x").startswith("This is your own ID")

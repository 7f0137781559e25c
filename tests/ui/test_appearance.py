from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ui.theme.appearance import Appearance, Choice, choice_of
from ui.theme.controls import IconButton, Theme
from ui.theme.tokens import DARK, LIGHT


def test_a_choice_is_shown_at_once_and_kept(qapp: QApplication, theme: Theme, appearance: Appearance) -> None:
    kept: list[Choice] = []
    appearance._keep = kept.append
    appearance.choose(Choice.DARK)
    assert theme.tokens is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == DARK.window
    assert DARK.card in qapp.styleSheet()
    appearance.choose(Choice.LIGHT)
    assert theme.tokens is LIGHT
    assert kept == [Choice.DARK, Choice.LIGHT]


@pytest.mark.parametrize(("scheme", "tokens"), [(Qt.ColorScheme.Dark, DARK), (Qt.ColorScheme.Light, LIGHT)])
def test_the_systems_scheme_is_followed_while_it_runs(
    qapp: QApplication, theme: Theme, appearance: Appearance, monkeypatch, scheme, tokens
) -> None:
    appearance.choose(Choice.SYSTEM)
    changed = qapp.styleHints().colorSchemeChanged
    monkeypatch.setattr(appearance._application, "styleHints", lambda: SimpleNamespace(colorScheme=lambda: scheme))
    changed.emit(scheme)
    assert theme.tokens is tokens


@pytest.mark.parametrize("word", ["", "purple", "\x00"])
def test_an_unknown_choice_is_the_systems(word: str) -> None:
    assert choice_of(word) is Choice.SYSTEM


def _colours_of(button: IconButton) -> set[str]:
    image = button.icon().pixmap(20, 20).toImage()
    found = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {colour.name().upper() for colour in found if colour.alpha() == 255}


def test_icons_take_the_new_colour(qtbot, theme: Theme, appearance: Appearance) -> None:
    button = IconButton(theme, "x", "close", name="i")
    qtbot.addWidget(button)
    assert LIGHT.secondary in _colours_of(button)
    appearance.choose(Choice.DARK)
    assert _colours_of(button) >= {DARK.secondary}
    assert LIGHT.secondary not in _colours_of(button)


def test_what_is_gone_is_dressed_no_more(qtbot, theme: Theme, appearance: Appearance) -> None:
    label, calls = QLabel(), []
    theme.dress(label, lambda _: calls.append(1))
    label.deleteLater()
    qtbot.waitUntil(lambda: not _is_alive(label))
    appearance.choose(Choice.DARK)
    assert calls == [1]


def _is_alive(widget: QWidget) -> bool:
    from shiboken6 import isValid

    return bool(isValid(widget))


def test_thousands_of_short_lived_widgets_are_not_all_remembered(qapp: QApplication, theme: Theme) -> None:
    for _ in range(3_000):
        label = QLabel()
        theme.dress(label, lambda _: None)
        del label
    assert len(theme._dressed) < 1_500

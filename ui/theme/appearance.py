"""Light or dark: what the person chose, or what the system shows now, on the whole application at once."""

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from ui.theme import fonts
from ui.theme.controls import Theme
from ui.theme.stylesheet import style_sheet
from ui.theme.tokens import DARK, LIGHT, Tokens


class Choice(StrEnum):
    """What a person can choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def choice_of(word: str) -> Choice:
    """Return the choice of that name; the system's for any other word."""
    return Choice(word) if word in set(Choice) else Choice.SYSTEM


class Appearance(QObject):
    """Dresses the application, and changes its clothes while it runs."""

    def __init__(
        self,
        application: QApplication,
        theme: Theme,
        choice: Choice = Choice.SYSTEM,
        keep: Callable[[Choice], None] = lambda _: None,
    ) -> None:
        """`keep` is told what the person chooses, for the next start."""
        super().__init__(application)
        self._application = application
        self._theme = theme
        self._choice = choice
        self._keep = keep
        application.setStyle("Fusion")
        application.setFont(fonts.font())
        # Only read: what is set there has no effect on some platforms.
        application.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    @property
    def choice(self) -> Choice:
        """What the person chose."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Show it now, and at the next start."""
        self._choice = choice
        self._keep(choice)
        self._apply()

    def _apply(self) -> None:
        tokens = self._wanted()
        self._theme.use(tokens)
        self._application.setPalette(palette(tokens))
        self._application.setStyleSheet(style_sheet(tokens))

    def _wanted(self) -> Tokens:
        if self._choice is Choice.SYSTEM:
            is_dark = self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        else:
            is_dark = self._choice is Choice.DARK
        return DARK if is_dark else LIGHT


def palette(tokens: Tokens) -> QPalette:
    """Return Qt's own roles in these colours, for what no style sheet reaches."""
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, tokens.window),
        (QPalette.ColorRole.WindowText, tokens.text),
        (QPalette.ColorRole.Base, tokens.card),
        (QPalette.ColorRole.AlternateBase, tokens.hover),
        (QPalette.ColorRole.Text, tokens.text),
        (QPalette.ColorRole.Button, tokens.card),
        (QPalette.ColorRole.ButtonText, tokens.text),
        (QPalette.ColorRole.PlaceholderText, tokens.secondary),
        (QPalette.ColorRole.Highlight, tokens.accent),
        (QPalette.ColorRole.HighlightedText, tokens.on_accent),
        (QPalette.ColorRole.Link, tokens.link),
        (QPalette.ColorRole.ToolTipBase, tokens.toast),
        (QPalette.ColorRole.ToolTipText, tokens.on_toast),
    ):
        palette.setColor(role, QColor(colour))
    return palette

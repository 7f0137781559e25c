"""One line of a form: label, input, and room for what is wrong with it, directly below."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QToolButton, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import Text, Theme, restyle

_INPUT_HEIGHT = 38


class FormField(QWidget):
    """A labelled input whose error stands beside it and goes when it is edited."""

    submitted = Signal()
    error_changed = Signal()
    """There is more or less to show than before."""

    def __init__(self, label: str, *, name: str, placeholder: str = "", captioned: bool = True) -> None:
        """Without a caption only a screen reader is told the label."""
        super().__init__()
        self.input = QLineEdit()
        self.input.setObjectName(name)
        self.input.setAccessibleName(label)
        self.input.setFont(fonts.font())
        self.input.setFixedHeight(_INPUT_HEIGHT)
        self.input.setPlaceholderText(placeholder)
        self.input.textEdited.connect(self.clear_error)
        self.input.returnPressed.connect(self.submitted)
        self._error = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._error.setObjectName(f"{name}.error")
        self._error.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        if captioned:
            caption = Text(label, role="caption", face=fonts.bold(fonts.CAPTION))
            caption.setBuddy(self.input)
            layout.addWidget(caption)
        layout.addWidget(self.input)
        layout.addWidget(self._error)
        self.setFocusProxy(self.input)

    def text(self) -> str:
        """Return what was typed."""
        return self.input.text()

    def set_text(self, text: str) -> None:
        """Fill it in; of a long text the beginning is seen."""
        self.input.setText(text)
        self.input.setCursorPosition(0)

    def show_error(self, sentence: str) -> None:
        """Say what is wrong, and put the cursor there."""
        self._error.setText(sentence)
        self._error.show()
        self.input.setAccessibleDescription(sentence)
        self._mark(wrong=True)
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)
        self.error_changed.emit()

    def clear_error(self) -> None:
        """Take it back."""
        if self._error.isHidden():
            return
        self._error.hide()
        self.error_changed.emit()
        self.input.setAccessibleDescription("")
        self._mark(wrong=False)

    def error(self) -> str:
        """Return the sentence that is shown; empty for none."""
        return "" if self._error.isHidden() else self._error.text()

    def _mark(self, *, wrong: bool) -> None:
        if bool(self.input.property("wrong")) != wrong:
            self.input.setProperty("wrong", wrong)
            restyle(self.input)


class PasswordField(FormField):
    """Hides what is typed until the eye is clicked."""

    def __init__(self, theme: Theme, label: str, *, name: str) -> None:
        super().__init__(label, name=name)
        self._theme = theme
        self._reveal = QAction(self)
        self._reveal.triggered.connect(self._toggle)
        self.input.addAction(self._reveal, QLineEdit.ActionPosition.TrailingPosition)
        # Qt makes the button for the action, and gives it no name.
        self._eye = self.input.findChild(QToolButton)
        assert self._eye is not None
        self._eye.setObjectName(f"{name}.reveal")
        self._set_hidden(hidden=True)
        theme.dress(self, PasswordField._draw_eye)

    def _toggle(self) -> None:
        self._set_hidden(hidden=self.input.echoMode() is QLineEdit.EchoMode.Normal)

    def _set_hidden(self, *, hidden: bool) -> None:
        self.input.setEchoMode(QLineEdit.EchoMode.Password if hidden else QLineEdit.EchoMode.Normal)
        self._draw_eye()
        self._reveal.setText(self.tr("Show the password") if hidden else self.tr("Hide the password"))
        self._reveal.setToolTip(self._reveal.text())
        if self._eye is not None:
            self._eye.setAccessibleName(self._reveal.text())

    def _draw_eye(self) -> None:
        icon = "eye" if self.input.echoMode() is QLineEdit.EchoMode.Password else "eye-off"
        self._reveal.setIcon(self._theme.icons.icon(icon, self._theme.tokens.secondary, 18))

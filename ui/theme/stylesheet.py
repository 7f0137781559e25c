"""The style sheet of the whole application, filled in from a colour table.

Widgets say what they are by the properties `kind` (buttons) and `role` (labels and frames).
"""

from dataclasses import asdict
from string import Template

from ui.theme.tokens import Tokens

_SHEET = Template("""
* { color: $text; selection-background-color: $accent; selection-color: $on_accent; }
QMainWindow, QWidget[role="window"] { background: $window; }
QDialog { background: $card; }
QWidget[role="side"] { background: $side; }
QWidget[role="sidebar"] { background: $side; border-right: 1px solid $border; }
QWidget[role="panel"] { background: $side; border-left: 1px solid $border; }
QWidget[role="chat"] { background: $chat; }
QWidget[role="header"] { background: $side; border-bottom: 1px solid $border; }
QWidget[role="footer"] { background: $side; border-top: 1px solid $border; }
QFrame[role="card"] { background: $card; border: 1px solid $border; border-radius: 16px; }
QFrame[role="popup"], QWidget[role="popup"] { background: $card; border: 1px solid $border; }
QFrame[role="inset"] { background: $window; border-radius: 10px; }
QWidget[role="banner"] { background: $warning_ground; border-radius: 10px; }
QWidget[role="strip"] { background: $warning_ground; border-bottom: 1px solid $border; }
QWidget[role="toast"] { background: $toast; border-radius: 10px; }
QWidget[role="toast"] QLabel { color: $on_toast; }
QPushButton[kind="toast"] {
    background: transparent; border: 2px solid transparent; border-radius: 8px; color: $toast_link; padding: 2px 6px;
    min-height: 18px;
}
QPushButton[kind="toast"]:hover, QPushButton[kind="toast"]:focus { border-color: $toast_link; }
QWidget[role="call"] { background: $answer; }
QWidget[role="call"] QLabel { color: $on_call; }
QWidget[role="incoming"] { background: $card; border-bottom: 1px solid $border; }
QFrame[role="small_call"] { background: $card; border: 1px solid $border; }
QFrame[role="bar"] { background: $card; border: 1px solid $border; border-radius: 10px; }
QWidget[role="line"] { background: $border; }
QLabel { background: transparent; }
QLabel[role="secondary"], QLabel[role="caption"] { color: $secondary; }
QLabel[role="error"] { color: $danger; }
QLabel[role="over"], QLabel[role="pill"] { color: $on_scrim; }
QLabel[role="pill"] { background: $scrim; border-radius: 10px; padding: 2px 10px; }
QLabel[role="online"] { color: $ok; }
QLabel[role="accent"] { color: $accent; }

QLineEdit, QTextEdit[role="input"] {
    background: $card; border: 1px solid $border; border-radius: 10px; padding: 1px;
    placeholder-text-color: $secondary;
}
QLineEdit { padding: 8px 13px; min-height: 20px; }
QTextEdit[role="input"] { padding: 4px 9px; }
QLineEdit:hover, QTextEdit[role="input"]:hover { border-color: $secondary; }
QLineEdit:focus { border: 2px solid $accent; padding: 7px 12px; }
QTextEdit[role="input"]:focus { border: 2px solid $accent; padding: 3px 8px; }
QPlainTextEdit { background: $card; border: 1px solid $border; border-radius: 10px; padding: 5px 9px; }
QPlainTextEdit:focus { border: 2px solid $accent; padding: 4px 8px; }
QLineEdit[wrong="true"] { border-color: $danger; }
QLineEdit:disabled { background: $window; color: $secondary; }

QComboBox {
    background: $card; border: 1px solid $border; border-radius: 10px; padding: 8px 12px; min-height: 20px;
}
QComboBox:hover { border-color: $secondary; }
QComboBox:focus { border: 2px solid $accent; padding: 7px 11px; }
QComboBox:disabled { background: $window; color: $secondary; }
QComboBox::drop-down { border: none; width: 0px; }
QComboBox QListView { background: $card; border: 1px solid $border; padding: 4px; }
QComboBox QListView::item { min-height: 32px; padding: 0px 8px; border-radius: 6px; }
QComboBox QListView::item:selected { background: $selected; color: $text; }

QPushButton {
    background: $hover; border: 1px solid $border; border-radius: 10px; padding: 8px 17px; min-height: 20px;
}
QPushButton:hover { background: $selected; }
QPushButton:pressed { background: $selected; border-color: $accent; }
QPushButton:focus { border: 2px solid $accent; padding: 7px 16px; }
QPushButton:disabled { color: $secondary; }
QPushButton[kind="primary"] { background: $accent; border-color: $accent; color: $on_accent; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:pressed { background: $accent_pressed; border-color: $accent_pressed; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; }
QPushButton[kind="primary"]:disabled { background: $border; border-color: $border; color: $secondary; }
QPushButton[kind="danger"] { background: transparent; color: $danger; }
QPushButton[kind="danger"]:hover { background: $hover; border-color: $danger; }
QPushButton[kind="quiet"] { background: transparent; border-color: transparent; color: $accent; padding: 8px 9px; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:focus { border-color: $accent; padding: 7px 8px; }
QPushButton[kind="chip"] { background: $selected; border-color: transparent; border-radius: 14px; padding: 3px 11px; }
QPushButton[kind="chip"]:hover { border-color: $accent; }
QPushButton[kind="chip"]:focus { border: 2px solid $accent; padding: 2px 10px; }
QPushButton[kind="over"] { background: $scrim_hover; border-color: transparent; color: $on_scrim; }
QPushButton[kind="over"]:hover { border-color: $on_scrim; }
QPushButton[kind="over"]:focus { border: 2px solid $on_scrim; padding: 7px 16px; }
QPushButton[kind="on_call"] {
    background: $answer_hover; border-color: transparent; color: $on_call; padding: 3px 12px;
}
QPushButton[kind="on_call"]:hover { border-color: $on_call; }
QPushButton[kind="on_call"]:focus { border: 2px solid $on_call; padding: 2px 11px; }
QPushButton[kind="answer"] { background: $answer; border-color: $answer; color: $on_call; }
QPushButton[kind="answer"]:hover { background: $answer_hover; }
QPushButton[kind="answer"]:focus { border: 2px solid $text; padding: 7px 16px; }
QPushButton[kind="answer"]:disabled { background: $offline; border-color: $offline; }
QPushButton[kind="field"] { background: $card; padding: 0px; min-height: 50px; }
QPushButton[kind="field"]:hover { border-color: $secondary; }
QPushButton[kind="field"]:focus { border: 2px solid $accent; padding: 0px; min-height: 48px; }
QPushButton[kind="field"]:disabled { background: $window; }

QToolButton { background: transparent; border: 2px solid transparent; border-radius: 10px; padding: 0px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed, QToolButton:open { background: $selected; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }
QToolButton[kind="send"] { background: $accent; border-radius: 20px; }
QToolButton[kind="send"]:hover { background: $accent_hover; }
QToolButton[kind="send"]:pressed { background: $accent_pressed; }
QToolButton[kind="send"]:focus { border-color: $text; }
QToolButton[kind="send"]:disabled { background: $border; }
QToolButton[kind="jump"] { background: $card; border: 1px solid $border; border-radius: 18px; padding: 0px 11px; }
QToolButton[kind="jump"]:hover { background: $hover; }
QToolButton[kind="jump"]:focus { border: 2px solid $accent; padding: 0px 10px; }
QToolButton[kind="over"] { background: $scrim; border-radius: 20px; }
QToolButton[kind="over"]:hover, QToolButton[kind="over"]:pressed { background: $scrim_hover; }
QToolButton[kind="over"]:focus { border-color: $on_scrim; }
QToolButton[round="36"] { border-radius: 18px; }
QToolButton[round="44"] { border-radius: 22px; }
QToolButton[round="56"] { border-radius: 28px; }
QToolButton[kind="call"] { background: $hover; }
QToolButton[kind="call"]:hover, QToolButton[kind="call"]:open { background: $border; }
QToolButton[kind="call"][isOn="true"] { background: $text; }
QToolButton[kind="answer"] { background: $answer; }
QToolButton[kind="answer"]:hover, QToolButton[kind="answer"]:pressed { background: $answer_hover; }
QToolButton[kind="hang_up"] { background: $hang_up; }
QToolButton[kind="hang_up"]:hover, QToolButton[kind="hang_up"]:pressed { background: $hang_up_hover; }
QToolButton[kind="answer"]:focus, QToolButton[kind="hang_up"]:focus, QToolButton[kind="call"]:focus {
    border-color: $text;
}
QToolButton[kind="on_call"]:hover, QToolButton[kind="on_call"]:pressed { background: $answer_hover; }
QToolButton[kind="on_call"]:focus { border-color: $on_call; }
QToolButton[kind="tab"] { border-radius: 8px; padding: 5px 9px; color: $secondary; }
QToolButton[kind="tab"]:checked { background: $selected; color: $accent; }
QToolButton[kind="group"] { border-radius: 8px; }
QToolButton[kind="group"]:checked { background: $selected; }

QListView { background: $side; border: none; outline: none; }
QListView[role="chat"] { background: $chat; }
QListView[role="grid"] { background: $card; }
QListView[role="mentions"] { background: $card; border: 1px solid $border; border-radius: 10px; padding: 3px; }
QScrollArea, QScrollArea > QWidget > QWidget[role="clear"] { background: transparent; border: none; }
QSplitter::handle { background: $border; }

QMenu { background: $card; border: 1px solid $border; border-radius: 10px; padding: 6px; }
QMenu::item { padding: 8px 24px 8px 12px; border-radius: 6px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { background: transparent; color: $secondary; }
QMenu::icon { padding-left: 10px; }
QMenu::separator { height: 1px; background: $border; margin: 6px 4px; }
QToolTip { background: $toast; color: $on_toast; border: none; padding: 5px 8px; }

QSlider { min-height: 24px; }
QSlider::groove:horizontal { height: 4px; background: $border; border: none; border-radius: 2px; }
QSlider::add-page:horizontal { background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal {
    background: $accent; width: 16px; margin: -6px 0px; border-radius: 8px;
}
QSlider::handle:horizontal:focus { background: $text; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle { background: $border; border-radius: 3px; }
QScrollBar::handle:vertical { min-height: 36px; }
QScrollBar::handle:horizontal { min-width: 36px; }
QScrollBar::handle:hover { background: $secondary; }
QScrollBar::handle:vertical:disabled { background: transparent; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0px; width: 0px; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def style_sheet(tokens: Tokens) -> str:
    """Return the sheet in these colours."""
    return _SHEET.substitute(asdict(tokens))

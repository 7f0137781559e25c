"""The small parts of the screen: an icon button with a menu, and an empty place with something below its sentence."""

from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCursor, QEnterEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.theme.controls import IconButton, Text, Theme
from ui.theme.empty_state import EmptyState


def test_a_button_whose_menu_was_used_looks_pointed_at_no_longer(qtbot: QtBot, theme: Theme) -> None:
    button = IconButton(theme, "folder", "Files", name="files")
    menu = QMenu(button)
    menu.addAction("Open")
    button.setMenu(menu)
    button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
    qtbot.addWidget(button)
    button.show()
    middle = QPointF(button.rect().center())
    QCursor.setPos(button.mapToGlobal(button.rect().center()))
    QCoreApplication.sendEvent(button, QEnterEvent(middle, middle, QPointF(QCursor.pos())))
    assert button.underMouse()

    def choose() -> None:
        QCursor.setPos(button.mapToGlobal(button.rect().bottomRight() + QPoint(20, 20)))
        menu.close()

    QTimer.singleShot(0, menu, choose)
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    assert not menu.isVisible()
    assert not button.underMouse()


def test_what_stands_below_an_empty_place_is_as_high_as_its_lines(qtbot: QtBot, theme: Theme) -> None:
    below = QWidget()
    below.setFixedWidth(200)
    words = Text("Friends elsewhere need the link of this locator to sign in, so hand it out.", wrap=True)
    QVBoxLayout(below).addWidget(words)
    empty = EmptyState(theme, "folder", "You are in", "Add a friend.", below, name="empty")
    qtbot.addWidget(empty)
    empty.resize(900, 600)
    empty.show()
    assert words.heightForWidth(words.width()) > words.fontMetrics().lineSpacing()
    assert words.height() >= words.heightForWidth(words.width())

"""Who has no conversation yet is told what to do next."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from tests.ui.scripted_node import ME, ScriptedNode, make_conversation, make_session
from ui.main_window.window import MainWindow


def test_who_knows_nobody_can_add_somebody_or_copy_the_own_id(qtbot, window: MainWindow) -> None:
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(window.findChild(QWidget, "main.empty").isVisible)
    assert window.findChild(QWidget, "conversation.first").isVisible()
    assert window.findChild(QLabel, "main.empty.id").text() == ME
    qtbot.mouseClick(window.findChild(QToolButton, "main.empty.copy_id"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == ME
    assert ME in window.toast.text()
    qtbot.mouseClick(window.findChild(QPushButton, "main.empty.add_contact"), Qt.MouseButton.LeftButton)
    assert window.findChild(QWidget, "add_contact").isVisible()


def test_who_has_conversations_is_asked_to_choose_one(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.talks = [make_conversation()]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(window.findChild(QWidget, "conversation.none").isVisible)
    assert not window.findChild(QWidget, "main.empty").isVisible()

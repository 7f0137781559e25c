"""Somebody at a window of the real program, with a real node, microphone and speaker."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from peer.node import PeerNode
from peer.surroundings import Surroundings
from peer.views import ConversationId, ConversationView, MessageKind, MessageView, TransferState
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.peer_bridge import PeerBridge
from ui.theme.appearance import Appearance
from ui.theme.controls import Theme
from ui.transfers.acts import Act

PATIENCE_MS = 20_000


class Talker:
    """Somebody at a window of the real program, without its start."""

    def __init__(
        self,
        qtbot,
        name: str,
        folder: Path,
        theme: Theme,
        appearance: Appearance,
        sit_down: Callable[[], None] = lambda: None,
    ) -> None:
        """`sit_down` lets processes that are started from now on have this person's devices."""
        self._qtbot = qtbot
        self.sit_down = sit_down
        self.name = name
        self.bridge = PeerBridge(lambda profile: PeerNode(profile, Surroundings()), folder)
        self.bridge.start()
        self.window = MainWindow(theme, self.bridge, WindowMemory(folder), appearance)
        qtbot.addWidget(self.window)
        self.window.show()

    def ask(self, work: Callable[[PeerNode], Coroutine[Any, Any, Any]]) -> Any:
        """Have the node do something, and wait."""
        answers: list[Any] = []
        self.bridge.ask(self.window, work, answers.append)
        self.until(lambda: bool(answers))
        return answers[0]

    def until(self, is_so: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(is_so, timeout=PATIENCE_MS)

    def open_first(self) -> None:
        """Open the only conversation there is."""
        talks: list[ConversationView] = []

        def came() -> bool:
            rows = self.window._state.conversations
            talks[:] = [] if rows.rowCount() == 0 else self.ask(lambda node: node.conversations())
            return bool(talks) and talks[0].can_write

        self.until(came)
        self.window.chat.open(talks[0])

    def open(self, conversation: ConversationId) -> None:
        """Open a conversation once it is here and something can be written in it."""

        def is_there() -> bool:
            view = self.window._state.conversations.conversation(conversation)
            return view is not None and view.can_write

        self.until(is_there)
        self.window.chat.open(self.window._state.conversations.conversation(conversation))

    @property
    def recorder(self):
        return self.window.chat.pane.recorder

    def voice(self) -> MessageView | None:
        """Return the voice message that is here, if one is."""
        model = self.window.chat.pane.view.model()
        for row in range(model.rowCount()):
            message = model.message(row)
            attachment = message.attachment
            if message.kind is MessageKind.VOICE and attachment and attachment.state is TransferState.HERE:
                return message
        return None

    def press(self, name: str, place: QWidget | None = None) -> None:
        """Click a button, of another window than the main one if that is given."""
        button = (place or self.window).findChild(QAbstractButton, name)
        assert button is not None, name
        self.until(lambda: button.isVisible() and button.isEnabled())
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def click(self, act: Act, share: float = 0.5) -> None:
        """Click a part of the voice message's bubble, so far from its left end."""
        view = self.window.chat.pane.view
        index = view.model().index(view.model().rowCount() - 1, 0)
        place = view.visualRect(index)
        parts = view._bubbles._look(index, place.width())[2]
        message = view.model().message(index.row())
        spots = view._bubbles._blocks[MessageKind.VOICE].spots(message, parts.block)
        spot = next(spot.place for spot in spots if spot.act is act)
        point = QPoint(round(spot.left() + share * spot.width()), round(spot.center().y()))
        self._qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.topLeft() + point)

    def is_playing(self) -> bool:
        return bool(self.window.chat.pane.desk.playback.current)

    def close(self) -> None:
        self.window.close_unasked()
        self.bridge.close()

"""Decides what is worth a notification, gathers what comes together, and shows it one way or another."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from peer.errors import RefusalCode
from peer.views import ContactView, ConversationId, MessageView
from ui.notifications.desktop import DesktopNotifications
from ui.notifications.settings import Loudness, NotificationSettings
from ui.notifications.tray import Tray
from ui.peer_bridge import PeerBridge
from ui.translations import message_words, people

_GATHER_MS = 600
"""Messages that come within this time make one notification a conversation."""
_ANSWER_MS = 3_000
"""How long the desktop may take to show one before the tray does."""
_LONGEST_TEXT = 160
_REQUESTS = "requests"
_CALL = "call"


class Notifier(QObject):
    """Tells of messages in conversations that are not in sight, and of people who ask."""

    conversation_wanted = Signal(object)
    """A click on a notification asks for this conversation."""
    requests_wanted = Signal()
    window_wanted = Signal()
    """A click on a notification of a call asks for the window, which shows the call."""
    _clicked = Signal(str)

    def __init__(
        self,
        bridge: PeerBridge,
        settings: NotificationSettings,
        tray: Tray,
        is_in_sight: Callable[[ConversationId | None], bool],
        group_title: Callable[[ConversationId], str],
        parent: QObject | None = None,
    ) -> None:
        """`is_in_sight` tells whether a person looks at a conversation now (None: at the window at all).

        `group_title` returns what a group is called; nothing for a conversation of two.
        """
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._tray = tray
        self._is_in_sight = is_in_sight
        self._group_title = group_title
        # The desktop answers on the network thread; a signal brings it here.
        self._desktop = DesktopNotifications(self._clicked.emit)
        self._clicked.connect(self._open)
        self._waiting: dict[ConversationId, list[MessageView]] = {}
        self._asked: ContactView | None = None
        self._is_asking_desktop = self._is_call_told = False
        self._last_key = ""
        self._gather = QTimer(self, singleShot=True, interval=_GATHER_MS)
        self._gather.timeout.connect(self._tell)
        tray.message_clicked.connect(lambda: self._open(self._last_key))

    def messages_arrived(self, messages: list[MessageView]) -> None:
        """Somebody wrote."""
        for message in messages:
            is_news = not message.is_event or (message.call is not None and message.call.is_missed)
            if is_news and not self._is_in_sight(message.conversation):
                self._waiting.setdefault(message.conversation, []).append(message)
        self._start()

    def asked(self, contact: ContactView) -> None:
        """Somebody wants to be a contact."""
        if not self._is_in_sight(None):
            self._asked = contact
        self._start()

    def seen(self, conversation: ConversationId) -> None:
        """A conversation is in sight now: what was told of it is old."""
        self._waiting.pop(conversation, None)
        self._bridge.ask(self, lambda _node: self._desktop.clear(conversation.hex()), None, lambda *_: None)

    def rang(self, title: str) -> None:
        """Somebody calls; it is told at once."""
        if self._settings.loudness is not Loudness.OFF:
            self._is_call_told = True
            is_full = self._settings.loudness is Loudness.FULL
            self._show(_CALL, title if is_full else "Hail", self.tr("is calling") if is_full else self.tr("A call"))

    def call_over(self) -> None:
        """Nobody calls any more."""
        if self._is_call_told:
            self._is_call_told = False
            self._bridge.ask(self, lambda _node: self._desktop.clear(_CALL), None, lambda *_: None)

    def _start(self) -> None:
        if (self._waiting or self._asked) and not self._gather.isActive():
            self._gather.start()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, {}
        asked, self._asked = self._asked, None
        if self._settings.loudness is Loudness.OFF:
            return
        is_full = self._settings.loudness is Loudness.FULL
        for conversation, messages in waiting.items():
            if self._is_in_sight(conversation):
                continue
            group = self._group_title(conversation)
            title = (group or messages[-1].author_name) if is_full else "Hail"
            self._show(conversation.hex(), title, self._text_of(messages, is_full=is_full, in_group=bool(group)))
        if asked is not None:
            sentence = self.tr("%1 wants to be your contact.").replace("%1", asked.name)
            self._show(_REQUESTS, "Hail", sentence if is_full else self.tr("Somebody wants to be your contact."))

    def _text_of(self, messages: list[MessageView], *, is_full: bool, in_group: bool) -> str:
        names_me = next((message for message in messages if message.mentions_me), None)
        if is_full and names_me is not None:
            name = people.short_name(names_me.author_name)
            return _cut(self.tr("%1 named you: %2").replace("%1", name).replace("%2", message_words.summary(names_me)))
        if len(messages) > 1 or not is_full:
            return self.tr("%n new messages", "", len(messages))
        text = message_words.summary(messages[0])
        if in_group:
            text = f"{people.short_name(messages[0].author_name)}: {text}"
        return _cut(text)

    def _show(self, key: str, title: str, text: str) -> None:
        self._last_key = key
        if self._is_asking_desktop:
            # It has not answered for the last one yet: a desktop that hangs must not gather questions.
            self._tray.say(title, text)
            return
        self._is_asking_desktop = True
        is_open = True

        def by_tray() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self._tray.say(title, text)

        def answered(taken: object) -> None:
            nonlocal is_open
            self._is_asking_desktop = False
            if taken is True:
                is_open = False
            by_tray()

        def failed(_code: RefusalCode, _message: str) -> None:
            answered(None)

        QTimer.singleShot(_ANSWER_MS, self, by_tray)
        self._bridge.ask(self, lambda _node: self._desktop.show(key, title, text), answered, failed)

    def _open(self, key: str) -> None:
        if key == _REQUESTS:
            self.requests_wanted.emit()
        elif key == _CALL:
            self.window_wanted.emit()
        elif key:
            self.conversation_wanted.emit(ConversationId(bytes.fromhex(key)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"

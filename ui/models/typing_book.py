"""Who is writing in which conversation at this moment."""

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal

from peer.views import ConversationId, TypingView, UserId

EXPIRES_MS = 6_000
"""Who is not told of for so long has stopped."""
_MOST = 200
"""People remembered at once, in all conversations."""


class TypingBook(QObject):
    """Forgets everybody by themselves."""

    changed = Signal(object)
    """Somebody else is writing in this conversation now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._typing: dict[tuple[ConversationId, UserId], tuple[str, QDeadlineTimer]] = {}
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._expire)

    def names(self, conversation: ConversationId) -> tuple[str, ...]:
        """Return who is writing there, who began first first."""
        return tuple(name for (where, _user), (name, _until) in self._typing.items() if where == conversation)

    def take(self, typing: TypingView) -> None:
        """Somebody is writing, or what they wrote is here."""
        key = (typing.conversation, typing.user)
        if not typing.writing:
            self._stopped(key)
            return
        known = self._typing.get(key)
        if known is None and len(self._typing) >= _MOST:
            return
        self._typing[key] = (typing.name, QDeadlineTimer(EXPIRES_MS))
        if not self._timer.isActive():
            self._timer.start(EXPIRES_MS)
        if known is None or known[0] != typing.name:
            self.changed.emit(typing.conversation)

    def forget(self) -> None:
        """Nobody is signed in."""
        for key in tuple(self._typing):
            self._stopped(key)

    def _stopped(self, key: tuple[ConversationId, UserId]) -> None:
        if self._typing.pop(key, None) is not None:
            self.changed.emit(key[0])

    def _expire(self) -> None:
        for key in [key for key, (_name, until) in self._typing.items() if until.hasExpired()]:
            self._stopped(key)
        if self._typing:
            left = min(until.remainingTime() for _name, until in self._typing.values())
            self._timer.start(max(1, left))

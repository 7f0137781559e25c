"""What a person can do about calls: each is asked of the node, and what it refuses is said."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from peer.call_views import CallDevicesView, CallId, CallView
from peer.errors import RefusalCode
from peer.views import AudioChoice, ConversationId, UserId
from ui.peer_bridge import PeerBridge, Refused, Work
from ui.translations.refusals import refusal_text

_WITHOUT_WORDS = frozenset({RefusalCode.CALL_OVER, RefusalCode.NO_SUCH_CALL})
"""Somebody was quicker; that the call is over is seen."""


class CallActions(QObject):
    """One for all buttons. What comes of it is told by events."""

    refused = Signal(str)
    """A sentence to show for a moment."""

    def __init__(self, bridge: PeerBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._hung_up: CallId | None = None

    def hung_up_here(self, call: CallView) -> bool:
        """Tell whether it was ended with a click here: then nobody has to be told that it is over."""
        return call.call == self._hung_up

    def start(self, conversation: ConversationId) -> None:
        """Call somebody or a group, or join the group's call."""
        self._hung_up = None
        self._ask(lambda node: node.calls.start(conversation))

    def answer(self, call: CallId) -> None:
        """Take a call that rings here."""
        self._hung_up = None
        self._ask(lambda node: node.calls.answer(call))

    def decline(self, call: CallId) -> None:
        """Do not take it."""
        self._hung_up = call
        self._ask(lambda node: node.calls.decline(call))

    def hang_up(self, call: CallId) -> None:
        """Leave a call, or give up calling."""
        self._hung_up = call
        self._ask(lambda node: node.calls.hang_up(call))

    def mute(self, call: CallId, *, muted: bool) -> None:
        """Let nothing be heard of us, or something again."""
        self._ask(lambda node: node.calls.mute(call, muted=muted))

    def set_volume(self, call: CallId, user: UserId, volume: float) -> None:
        """Hear somebody louder or softer."""
        self._ask(lambda node: node.calls.set_volume(call, user, volume))

    def ask_devices(self, owner: QObject, done: Callable[[CallDevicesView], None], refused: Refused) -> None:
        """Find out which microphones and speakers there are."""
        self._bridge.ask(owner, lambda node: node.calls.devices(), done, refused)

    def set_devices(self, choice: AudioChoice) -> None:
        """Speak and hear with others from now on."""
        self._bridge.ask(self, lambda node: node.calls.set_devices(choice.microphone, choice.speaker), None, self._say)

    def _ask(self, work: Work[CallView]) -> None:
        self._bridge.ask(self, work, None, self._say)

    def _say(self, code: RefusalCode, message: str) -> None:
        if code not in _WITHOUT_WORDS:
            self.refused.emit(refusal_text(code, message))

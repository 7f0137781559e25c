"""Which calls there are at this moment: the one we are in, one that rings here, and those of groups one may join."""

from PySide6.QtCore import QObject, Signal

from peer import events
from peer.call_views import CallEnd, CallId, CallLevelsView, CallState, CallView
from peer.views import ConversationId
from ui.peer_bridge import PeerBridge

_LEFT_OUT = frozenset({CallEnd.BUSY, CallEnd.MISSED})
"""How a call ends that could not ring here, because of another one."""


class CallBook(QObject):
    """Kept up to date from events; a call that ended is told once more, then forgotten."""

    changed = Signal(object)
    """The new view of a call: it began, changed or ended."""
    levels_changed = Signal(object)
    """How loud everybody is, several times a second."""
    forgotten = Signal()
    """Nobody is signed in any more."""
    missed = Signal(object)
    """Somebody called who could not be let through."""

    def __init__(self, bridge: PeerBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._calls: dict[CallId, CallView] = {}
        self._told: set[CallId] | None = None
        """While the list is on its way: what events told of meanwhile, which is newer."""
        self._asked = 0
        """Grows with each person who signs in: what was asked for another one is nobody's."""

    @property
    def current(self) -> CallView | None:
        """The call we are in, or are waiting to be in."""
        return next((call for call in self._calls.values() if is_ours(call)), None)

    @property
    def incoming(self) -> CallView | None:
        """The call that rings here."""
        return next((call for call in self._calls.values() if rings_here(call)), None)

    def to_join(self, conversation: ConversationId) -> CallView | None:
        """Return the call that goes on in a group without us."""
        calls = (call for call in self._calls.values() if call.conversation == conversation)
        return next((call for call in calls if call.state is CallState.AVAILABLE), None)

    def begin(self) -> None:
        """Somebody has signed in: ask which calls there are."""
        self._asked += 1
        self._told = set()
        asked = self._asked
        self._bridge.ask(
            self, lambda node: node.calls.current(), lambda calls: self._came(asked, calls), lambda *_: None
        )

    def forget(self) -> None:
        """Nobody is signed in."""
        self._asked += 1
        self._told = None
        self._calls.clear()
        self.forgotten.emit()

    def take(self, event: events.Event) -> None:
        """Bring the calls up to date, if the event is about one.

        What the node answers to a click is not taken: it may come after an event that is newer.
        """
        match event:
            case events.CallLevels(levels=levels):
                self._take_levels(levels)
            case (
                events.CallRinging(call=call)
                | events.CallStarted(call=call)
                | events.CallChanged(call=call)
                | events.CallEnded(call=call)
            ):
                if self._told is not None:
                    self._told.add(call.call)
                self._take_call(call)

    def _take_call(self, call: CallView) -> None:
        known = self._calls.get(call.call)
        if call.state is not CallState.ENDED:
            self._calls[call.call] = call
            if call != known:
                self.changed.emit(call)
        elif known is not None:
            del self._calls[call.call]
            self.changed.emit(call)
        elif call.is_incoming and call.reason in _LEFT_OUT:
            self.missed.emit(call)

    def _take_levels(self, levels: CallLevelsView) -> None:
        if levels.call in self._calls:
            self.levels_changed.emit(levels)

    def _came(self, asked: int, calls: tuple[CallView, ...]) -> None:
        if asked == self._asked:
            told, self._told = self._told or set(), None
            for call in calls:
                if call.call not in told:
                    self._take_call(call)


def is_over(call: CallView) -> bool:
    """Tell whether we are in a call no more, also where others go on."""
    return call.state in {CallState.ENDED, CallState.AVAILABLE}


def is_ours(call: CallView) -> bool:
    """Tell whether we are in a call, or called and wait."""
    in_it = {CallState.CALLING, CallState.CONNECTING, CallState.ACTIVE}
    return call.state in in_it or (call.state is CallState.RINGING and not call.is_incoming)


def rings_here(call: CallView) -> bool:
    """Tell whether a call waits for us to answer it."""
    return call.state is CallState.RINGING and call.is_incoming

"""Calls of groups that go on without us, as those who are in them tell."""

from dataclasses import dataclass, field
from datetime import datetime

from peer.calls.limits import CALLS_KNOWN
from peer.conversation import Conversation
from protocol.call_messages import CallPerson
from protocol.identity import CallId, DeviceId, UserId


@dataclass(slots=True, eq=False)
class KnownCall:
    """One of them."""

    call: CallId
    conversation: Conversation
    heard_at: datetime
    told: dict[DeviceId, tuple[CallPerson, ...]] = field(default_factory=dict)
    """Who is in it, as those say who are."""

    @property
    def people(self) -> tuple[CallPerson, ...]:
        """Return who is in it, as all say together: members only, each once."""
        group = self.conversation.group
        found: dict[UserId, CallPerson] = {}
        for people in self.told.values():
            for each in people:
                if group is not None and each.device in group.members.get(each.user, ()):
                    found.setdefault(each.user, each)
        return tuple(found.values())


class KnownCalls:
    """Everything that was told and still holds."""

    def __init__(self) -> None:
        self._calls: dict[CallId, KnownCall] = {}

    def get(self, call: CallId) -> KnownCall | None:
        """Return a call that goes on."""
        return self._calls.get(call)

    def all(self) -> list[KnownCall]:
        """Return every call that goes on."""
        return list(self._calls.values())

    def of(self, conversation: Conversation) -> KnownCall | None:
        """Return the call of a group; of several, which will become one, the one that stays."""
        calls = [known for known in self._calls.values() if known.conversation is conversation]
        return min(calls, key=lambda known: known.call, default=None)

    def take(
        self,
        call: CallId,
        conversation: Conversation,
        device: DeviceId,
        people: tuple[CallPerson, ...],
        now: datetime,
    ) -> KnownCall | None:
        """Take in what a device told; return the call if anything changed."""
        known = self._calls.get(call)
        if known is not None and known.conversation is not conversation:
            return None
        if device not in (each.device for each in people):
            return self._forget_word(known, device) if known is not None else None
        self._forget_others(call, conversation, device)
        if known is None:
            if len(self._calls) >= CALLS_KNOWN:
                return None
            known = self._calls[call] = KnownCall(call, conversation, now)
        before = known.people
        known.told[device] = people
        return known if known.people != before else None

    def forget_device(self, device: DeviceId) -> list[KnownCall]:
        """What a device told holds no more; return the calls of which that changed something."""
        return [known for known in self.all() if self._forget_word(known, device)]

    def forget_conversation(self, conversation: Conversation) -> list[KnownCall]:
        """We are in a group no more; return its calls."""
        gone = [known for known in self.all() if known.conversation is conversation]
        for known in gone:
            del self._calls[known.call]
        return gone

    def _forget_others(self, call: CallId, conversation: Conversation, device: DeviceId) -> None:
        """One is in at most one call."""
        for known in self.all():
            if known.call != call:
                self._forget_word(known, device)

    def _forget_word(self, known: KnownCall, device: DeviceId) -> KnownCall | None:
        if known.told.pop(device, None) is None:
            return None
        if not known.told:
            del self._calls[known.call]
        return known

"""Calls of groups that go on without us, as those who are in them tell."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from peer.calls.limits import CALLS_KNOWN
from peer.entries.conversation import Conversation
from protocol.call_messages import CallPerson
from protocol.identity import CallId, DeviceId, UserId


class Word(NamedTuple):
    """What a device said, and when it said so last, by the loop's clock."""

    people: tuple[CallPerson, ...]
    at: float


@dataclass(slots=True, eq=False)
class KnownCall:
    """One of them."""

    call: CallId
    conversation: Conversation
    heard_at: datetime
    told: dict[DeviceId, Word] = field(default_factory=dict)
    """Who is in it, as those say who are. They say it every few seconds: what is not said again holds no more."""

    @property
    def people(self) -> tuple[CallPerson, ...]:
        """Return who is in it, as all say together: members only, each once."""
        group = self.conversation.group
        found: dict[UserId, CallPerson] = {}
        for word in self.told.values():
            for each in word.people:
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
        now: float,
        heard_at: datetime,
    ) -> list[KnownCall]:
        """Take in what a device told; return the calls of which that changed something."""
        is_in = device in (each.device for each in people)
        # One is in at most one call.
        changed = [known for known in self.all() if (known.call != call or not is_in) and self._forget(known, device)]
        known = self._calls.get(call)
        if not is_in or (known is not None and known.conversation is not conversation):
            return changed
        if known is None:
            if len(self._calls) >= CALLS_KNOWN:
                return changed
            known = self._calls[call] = KnownCall(call, conversation, heard_at)
        before = known.people
        known.told[device] = Word(people, now)
        return [*changed, known] if known.people != before else changed

    def forget_older(self, than: float) -> list[KnownCall]:
        """What was not said again since then holds no more; return the calls of which that changed something."""
        changed = []
        for known in self.all():
            silent = [device for device, word in known.told.items() if word.at < than]
            if silent:
                changed.append(known)
            for device in silent:
                self._forget(known, device)
        return changed

    def forget(self, call: CallId) -> None:
        """It is over."""
        self._calls.pop(call, None)

    def forget_conversation(self, conversation: Conversation) -> list[KnownCall]:
        """We are in a group no more; return its calls."""
        gone = [known for known in self.all() if known.conversation is conversation]
        for known in gone:
            known.told.clear()
            del self._calls[known.call]
        return gone

    def _forget(self, known: KnownCall, device: DeviceId) -> bool:
        if known.told.pop(device, None) is None:
            return False
        if not known.told:
            del self._calls[known.call]
        return True

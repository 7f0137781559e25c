"""What we say of the call that we are in, to each of those who are in it and to the group around them."""

import secrets

from peer.calls.call import Call
from peer.calls.limits import CALL_MEMBERS_RUNG, CALL_PEOPLE_TOLD_SECONDS, CALL_SOUGHT_SECONDS
from peer.calls.lines import CallLines
from peer.calls.person import Person
from peer.links.link import Link
from protocol.call_messages import CallAnswer, CallLeg, CallOffer, CallPeople, CallPerson, CallStatus, CallWord
from protocol.call_states import CallState
from protocol.identity import CallId, UserId
from protocol.limits import VOICE_KEY_BYTES


class Telling:
    """One call's words on links. All may be said twice: then they change nothing."""

    def __init__(self, call: Call, lines: CallLines) -> None:
        self._call, self._lines = call, lines
        self._told_at = self._sought_at = lines.now()

    def new_leg(self) -> CallLeg:
        """Draw a key and an SSRC, for one device and one time."""
        port, addresses = self._lines.place()
        return CallLeg(1 + secrets.randbelow(0xFFFF_FFFF), secrets.token_bytes(VOICE_KEY_BYTES), port, addresses)

    def offer(self, link: Link, person: Person) -> None:
        """Want to talk; the same leg each time."""
        assert link.device is not None
        leg = person.ours.setdefault(link.device, self.new_leg())
        rung = int(1000 * (self._lines.now() - self._call.began)) if person.is_rung else 0
        link.send(CallOffer(self._call.wire, self._call.conversation.id, leg, person.is_rung, rung))
        link.send(self._status())

    def reach(self, person: Person) -> None:
        """Offer to each device of theirs that has a link and was not offered to, if it is ours to offer."""
        if not (person.offers and person.is_awaited):
            return
        for link in self._lines.with_user(person.user, self._call.conversation):
            if link.device not in person.ours and person.device in (None, link.device):
                self.offer(link, person)

    def answer(self, person: Person) -> None:
        """Say that we are in it."""
        assert person.device is not None
        assert person.theirs is not None
        leg = person.ours[person.device]
        self._lines.tell(person.device, CallAnswer(self._call.wire, leg, person.theirs.ssrc))
        self.status_to(person)

    def status_to(self, person: Person) -> None:
        """Say how we take part."""
        self._lines.tell(person.device, self._status())

    def status(self) -> None:
        """Say it to everybody."""
        for person in self._call.those_in():
            self.status_to(person)

    def over(self, person: Person, word: CallWord) -> None:
        """Say that between us it is over."""
        if person.state is not CallState.ENDED:
            devices = (*person.ours, *((person.device,) if person.device is not None else ()))
            for device in dict.fromkeys(devices):
                theirs = person.theirs.ssrc if person.theirs is not None and device == person.device else 0
                self._lines.tell_over(device, self._call.wire, word, theirs)

    def people(self) -> None:
        """Say to the group who is in its call."""
        call = self._call
        if call.is_group and call.takes_part:
            self._told_at = self._lines.now()
            message = self.people_message()
            for link in self._lines.all(call.conversation):
                link.send(message)

    def left(self, wire: CallId) -> None:
        """Say to the group that we are not in it any more."""
        for link in self._lines.all(self._call.conversation):
            link.send(CallPeople(wire, self._call.conversation.id, ()))

    def people_message(self) -> CallPeople:
        """Return who is in it."""
        me = CallPerson(self._lines.me, self._lines.device)
        return CallPeople(self._call.wire, self._call.conversation.id, self._call.who_is_in(me))

    def seek(self) -> None:
        """Have links made with everybody who needs one: with friends there is one anyway."""
        self._sought_at = self._lines.now()
        if self._call.is_group:
            people = (*self._call.those_awaited(), *self._call.those_in())
            for user in (*(person.user for person in people), *self._who_may_join()):
                self._lines.seek(user)

    def _who_may_join(self) -> list[UserId]:
        """Return the members who are there; only one of those in the call has them linked, so that they hear of it."""
        in_it = {person.user for person in self._call.those_in()}
        if not self._call.takes_part or any(user < self._lines.me for user in in_it):
            return []
        others = self._call.conversation.members - in_it - {self._lines.me}
        return sorted(filter(self._lines.is_there, others))[:CALL_MEMBERS_RUNG]

    def again(self) -> None:
        """Say and seek again what is due."""
        now = self._lines.now()
        if now - self._told_at >= CALL_PEOPLE_TOLD_SECONDS:
            self.people()
        if now - self._sought_at >= CALL_SOUGHT_SECONDS:
            self.seek()

    def _status(self) -> CallStatus:
        call = self._call
        port, addresses = self._lines.place()
        return CallStatus(call.wire, call.is_muted, call.has_microphone, call.has_speaker, port, addresses)

"""The call that keeps this device busy: what comes of it on links, what is told, and what falls due."""

from collections.abc import Iterable

from peer.calls.call import Call
from peer.calls.host import CallHost
from peer.calls.limits import (
    CALL_AGAIN_SECONDS,
    CALL_REACH_SECONDS,
)
from peer.calls.lines import CallLines
from peer.calls.person import Person, is_heard
from peer.calls.sentences import meaning
from peer.calls.sound import CallSound
from peer.calls.telling import Telling
from peer.links.link import Link
from peer.voice.process_messages import LegHeard, SoundChanged
from protocol.call_messages import (
    CallAnswer,
    CallLeg,
    CallOffer,
    CallOver,
    CallPerson,
    CallRings,
    CallStatus,
    CallWord,
)
from protocol.call_states import CallEnd, CallEvent, CallState
from protocol.identity import CallId, UserId
from protocol.limits import CALL_LOST_SECONDS, CALL_PEOPLE, CALL_RING_SECONDS


class EngagedCall:
    """Drives one call. On the network thread; nothing here waits."""

    def __init__(self, call: Call, lines: CallLines, host: CallHost) -> None:
        self.call = call
        self.sound: CallSound | None = None
        self._lines = lines
        self._host = host
        self._telling = Telling(call, lines)
        self._linked_at = lines.now()
        """When who rings us was last known to be there."""

    # --- what a person does --------------------------------------------------------------------

    def ring(self, users: Iterable[UserId]) -> None:
        """Ring everybody."""
        self.sound = self._host.make_sound(self)
        for user in users:
            person = self.call.people[user] = Person(user, self._lines.now(), is_rung=True)
            self._telling.reach(person)
        self._telling.seek()
        self._telling.people()

    def answer(self) -> None:
        """Go into a call that rings here."""
        self.sound = self._host.make_sound(self)
        if self.call.is_muted:
            self.sound.mute(muted=True)
        rang = [person for person in self.call.people.values() if person.theirs is not None]
        self.call.happen(CallEvent.ANSWERED, self._lines.now())
        for person in rang:
            self._connect(person)
            self._telling.answer(person)
        self.join(self._host.those_in(self.call.wire))
        self._telling.people()

    def join(self, people: Iterable[CallPerson]) -> None:
        """Go to everybody who is in a group's call."""
        if self.sound is None:
            self.sound = self._host.make_sound(self)
        for each in people:
            self._add(each, offers=True)
        self._telling.seek()

    def join_at(self, people: Iterable[CallPerson]) -> None:
        """Go into a group's call that goes on without us."""
        self.call.happen(CallEvent.JOINED, self._lines.now())
        self.join(people)

    def move_to(self, wire: CallId) -> None:
        """Two calls were begun at the same time: ours becomes the other one, everybody anew."""
        call, now = self.call, self._lines.now()
        if call.is_group and call.takes_part:
            self._telling.left(call.wire)
        call.former.add(call.wire)
        call.wire = wire
        for user, person in list(call.people.items()):
            self._disconnect(person)
            # Whom we rang is rung by who began the other one.
            offers = not (person.is_rung and person.is_awaited)
            call.people[user] = Person(user, now, offers=offers, volume=person.volume)
        call.happen(CallEvent.ALONE, now)

    def offer_to(self, link: Link) -> None:
        """Let somebody who knows the call by another name, or not yet, know ours."""
        person = self.call.people.get(link.user) if link.user is not None else None
        if person is None or not person.is_awaited or not self.call.takes_part:
            return
        if link.device in person.ours:
            self._telling.offer(link, person)
        else:
            self._telling.reach(person)

    def part_with(self, person: Person) -> None:
        """Somebody may be in a call with us no more."""
        self._telling.over(person, CallWord.HUNG_UP)
        self._person_over(person, CallEnd.HUNG_UP)

    def leave(self, word: CallWord, end: CallEnd) -> None:
        """Be out of it, for whatever reason, and let the others know."""
        for person in self.call.people.values():
            self._telling.over(person, word)
        self._end(end)

    def mute(self, *, muted: bool) -> None:
        """Send silence, or what is said."""
        self.call.is_muted = muted
        if self.sound is not None:
            self.sound.mute(muted=muted)
        self._telling.status()
        self._host.call_changed()

    def set_volume(self, person: Person, volume: float) -> None:
        """Make somebody louder or quieter, for us."""
        person.volume = volume
        if self.sound is not None and person.is_in and person.theirs is not None:
            self.sound.set_volume(person.theirs.ssrc, volume)
        self._host.call_changed()

    # --- what links bring ----------------------------------------------------------------------

    def take_ring(self, link: Link, offer: CallOffer) -> None:
        """Somebody rings us, or says so again."""
        assert link.user is not None
        person = self.call.people.setdefault(link.user, Person(link.user, self._lines.now(), offers=False))
        person.device, person.theirs, person.link_address = link.device, offer.leg, link.address
        link.send(CallRings(self.call.wire))

    def take_offer(self, link: Link, offer: CallOffer) -> None:
        """Somebody wants to talk in the call that we are in."""
        assert link.user is not None
        assert link.device is not None
        person = self.call.people.get(link.user)
        if self._is_full_for(person):
            self._lines.tell_over(link.device, self.call.wire, CallWord.FULL, offer.leg.ssrc)
            return
        if person is None or person.state is CallState.ENDED:
            person = self.call.people[link.user] = Person(link.user, self._lines.now(), offers=False)
        talking = self._take_leg(person, link, offer.leg)
        if talking is not None:
            self._telling.answer(talking)

    def take_answer(self, link: Link, answer: CallAnswer) -> None:
        """Somebody whom we offered to says yes."""
        assert link.user is not None
        assert link.device is not None
        person = self.call.people.get(link.user)
        if person is None or link.device not in person.ours or person.state is CallState.ENDED:
            self._lines.tell_over(link.device, answer.call, CallWord.GONE, answer.leg.ssrc)
        elif answer.to not in (0, person.ours[link.device].ssrc):
            return  # to an earlier offer: the answer to this one is under way
        elif person.is_in and person.device != link.device:
            self._lines.tell_over(link.device, answer.call, CallWord.ELSEWHERE, answer.leg.ssrc)
        elif self._is_full_for(person):
            self._telling.over(person, CallWord.FULL)
            self._person_over(person, CallEnd.BUSY)
        elif person.is_awaited and self._take_leg(person, link, answer.leg) is not None:
            self._telling.status_to(person)

    def take_rings(self, link: Link) -> None:
        """It rings at theirs."""
        person = self._person_of(link)
        if person is None or not person.happen(CallEvent.RANG, self._lines.now()):
            return
        if self.call.happen(CallEvent.RANG, self._lines.now()):
            self._host.call_rings(self)
        else:
            self._host.call_changed()

    def take_status(self, link: Link, status: CallStatus) -> None:
        """Somebody told how they take part."""
        person = self._person_of(link)
        if person is None:
            return
        before = None if person.status is None else (person.status.port, person.status.addresses)
        person.status = status
        has_moved = link.address != person.link_address or (before or (status.port, status.addresses)) != (
            status.port,
            status.addresses,
        )
        if has_moved and person.is_in and person.theirs is not None and self.sound is not None:
            person.link_address = link.address
            self.sound.move(person.theirs.ssrc, person.places())
        self._host.call_changed()

    def take_people(self, link: Link, people: Iterable[CallPerson]) -> None:
        """Somebody in the call told who else is in it."""
        person = self._person_of(link)
        if person is None or not person.is_in:
            return
        news = [self._add(each, offers=self._lines.device < each.device) for each in people]
        if any(news):
            self._telling.seek()

    def take_over(self, link: Link, over: CallOver) -> None:
        """For somebody it is over."""
        person = self._person_of(link)
        if person is None:
            return
        word = CallWord.from_wire(over.reason)
        assert link.device is not None
        ours = person.ours.get(link.device)
        if over.leg and (ours is None or ours.ssrc != over.leg):
            return  # of what was before: we came anew since then
        person.refused.add(link.device)
        may_come = person.is_rung and person.is_awaited and word in (CallWord.BUSY, CallWord.GONE)
        if may_come and (word is CallWord.GONE or not person.ours.keys() <= person.refused):
            return  # on another device of theirs, or with one that they are just signing in on
        if word is CallWord.FULL and self.call.is_group:
            self.leave(CallWord.HUNG_UP, CallEnd.BUSY)
            return
        self._person_over(person, meaning(word, is_rung=self.call.rings_here, is_in=person.is_in), word)

    def link_came_up(self, link: Link) -> None:
        """Say again what may have been lost."""
        assert link.user is not None
        if self.call.takes_part and self.call.is_group and self._lines.may_use(link, self.call.conversation):
            link.send(self._telling.people_message())
        person = self.call.people.get(link.user)
        if person is None or link.device is None or not self._lines.may_use(link, self.call.conversation):
            return
        if self.call.rings_here and person.device == link.device:
            link.send(CallRings(self.call.wire))
        elif person.is_in and person.device == link.device:
            self._telling.answer(person)
        elif person.is_awaited and self.call.takes_part:
            if link.device in person.ours:
                self._telling.offer(link, person)
            self._telling.reach(person)

    # --- what the voice process tells ------------------------------------------------------------

    def take_figures(self, figures: LegHeard) -> None:
        """A voice came, or did not, during the last second."""
        person = next((each for each in self.call.those_in() if each.theirs and each.theirs.ssrc == figures.leg), None)
        if person is None or self.call.is_over:
            return
        now = self._lines.now()
        is_first = is_heard(figures) and person.happen(CallEvent.HEARD, now)
        person.take_figures(figures)
        if is_first:
            self._host.person_heard(self, person.user)
        if is_first and self.call.happen(CallEvent.HEARD, now) and self.call.started_at is None:
            self._host.call_started(self)
        elif figures.silent_ms >= 1000 * CALL_LOST_SECONDS and person.state is CallState.ACTIVE:
            self._lose(person)
        else:
            self._host.call_changed()

    def take_sound(self, sound: SoundChanged) -> None:
        """A device came or went."""
        call = self.call
        if call.is_over:
            return
        call.has_microphone, call.has_speaker = sound.has_microphone, sound.has_speaker
        call.sound_notice = sound.reason
        self._telling.status()
        self._host.call_changed()

    # --- what time brings ------------------------------------------------------------------------

    def tick(self) -> None:
        """Look whether something is due."""
        now, call = self._lines.now(), self.call
        if call.rings_here:
            if any(self._lines.with_user(user, call.conversation) for user in call.people):
                self._linked_at = now
            if now - call.began >= CALL_RING_SECONDS:
                self.leave(CallWord.NO_ANSWER, CallEnd.MISSED)
            elif now - self._linked_at >= CALL_LOST_SECONDS:
                self.leave(CallWord.NO_ANSWER, CallEnd.WITHDRAWN)
            return
        for person in list(call.people.values()):
            self._look_after(person, now)
            if call.is_over:
                return
        self._telling.again()

    def _look_after(self, person: Person, now: float) -> None:
        waited = now - person.since
        if person.state is CallState.CONNECTING and waited >= CALL_LOST_SECONDS:
            self._lose(person)
        elif person.state is CallState.CALLING and waited >= CALL_REACH_SECONDS:
            self._telling.over(person, CallWord.WITHDRAWN if person.is_rung else CallWord.GONE)
            self._person_over(person, CallEnd.UNREACHABLE)
        elif person.state is CallState.RINGING and now - self.call.began >= CALL_RING_SECONDS:
            self._telling.over(person, CallWord.NO_ANSWER)
            self._person_over(person, CallEnd.NO_ANSWER)
        elif person.is_awaited:
            self._telling.reach(person)

    # --- inside ------------------------------------------------------------------------------

    def _add(self, each: CallPerson, *, offers: bool) -> bool:
        """Somebody is said to be in the call: have a leg with them. Return whether that is news."""
        call, now = self.call, self._lines.now()
        group = call.conversation.group
        is_member = group is not None and each.device in group.members.get(each.user, ())
        if not is_member or each.user == self._lines.me:
            return False
        person = call.people.get(each.user)
        is_over = person is not None and person.state is CallState.ENDED and now - person.since >= CALL_AGAIN_SECONDS
        is_news = person is None or is_over
        if person is None or is_over:
            person = call.people[each.user] = Person(each.user, now, offers=offers, device=each.device)
        elif person.is_awaited:
            # Each may have waited for the other to offer.
            person.offers |= offers
        self._telling.reach(person)
        return is_news

    def _is_full_for(self, person: Person | None) -> bool:
        return not (person and person.is_in) and sum(1 for _ in self.call.those_in()) >= CALL_PEOPLE - 1

    def _take_leg(self, person: Person, link: Link, leg: CallLeg) -> Person | None:
        """Exchange keys with a device, for the first time or anew; return with whom there is a leg now."""
        assert link.device is not None
        if person.is_in and person.device == link.device and person.theirs == leg:
            return person
        if any(other.theirs and other.theirs.ssrc == leg.ssrc for other in self.call.those_in() if other is not person):
            self._lines.tell_over(link.device, self.call.wire, CallWord.GONE, leg.ssrc)
            return None
        if person.is_in:
            # Keys are never used twice: whoever comes anew gets new ones.
            self._disconnect(person)
            fresh = Person(person.user, self._lines.now(), offers=False, volume=person.volume)
            person = self.call.people[person.user] = fresh
        person.device, person.theirs, person.link_address = link.device, leg, link.address
        self._connect(person)
        return person

    def _connect(self, person: Person) -> None:
        assert person.device is not None
        assert person.theirs is not None
        assert self.sound is not None
        now = self._lines.now()
        for device in [device for device in person.ours if device != person.device]:
            del person.ours[device]
            self._lines.tell_over(device, self.call.wire, CallWord.ELSEWHERE)
        ours = person.ours.setdefault(person.device, self._telling.new_leg())
        person.happen(CallEvent.ANSWERED, now)
        self.sound.connect(
            person.theirs.ssrc,
            ours.ssrc,
            ours.key,
            person.theirs.key,
            person.places(),
            dials=self._lines.device < person.device,
        )
        if person.volume != 1:
            self.sound.set_volume(person.theirs.ssrc, person.volume)
        self.call.happen(CallEvent.ANSWERED, now)
        self._telling.people()
        self._host.call_changed()

    def _disconnect(self, person: Person) -> None:
        if person.is_in and person.theirs is not None and self.sound is not None:
            self.sound.disconnect(person.theirs.ssrc)

    def _lose(self, person: Person) -> None:
        self._telling.over(person, CallWord.LOST)
        self._person_over(person, CallEnd.LOST)

    def _person_over(self, person: Person, end: CallEnd, word: CallWord | None = None) -> None:
        self._disconnect(person)
        person.happen(CallEvent.OVER, self._lines.now())
        person.end, person.theirs = end, None
        if end is CallEnd.DECLINED:
            self._host.person_declined(self, person.user)
        person.ours.clear()
        call = self.call
        if not call.is_group or (call.rings_here and not any(each.theirs for each in call.people.values())):
            self._end(end, word)
        elif call.rings_here:
            self._host.call_changed()
        elif any(call.those_in()):
            self._telling.people()
            self._host.call_changed()
        elif any(call.those_awaited()):
            call.happen(CallEvent.ALONE, self._lines.now())
            self._telling.people()
            self._host.call_changed()
        else:
            self._end(CallEnd.HUNG_UP if call.started_at else end, word)

    def _end(self, end: CallEnd, word: CallWord | None = None) -> None:
        call = self.call
        was_in = call.takes_part
        now = self._lines.now()
        others = {each.user for each in self._host.those_in(call.wire)}
        goes_on = call.is_group and call.goes_on(self._lines.me, others, now)
        call.happen(CallEvent.LEFT if goes_on else CallEvent.OVER, now)
        call.reason = end
        if was_in and call.is_group:
            self._telling.left(call.wire)
        self._host.call_over(self, word)

    def _person_of(self, link: Link) -> Person | None:
        """Return the person whose device is on a link, if it is the one that is in the call or was offered to."""
        person = self.call.people.get(link.user) if link.user is not None else None
        if person is None or person.state is CallState.ENDED:
            return None
        return person if link.device == person.device or link.device in person.ours else None

"""What becomes of an offer to talk: it rings, it joins our call, it makes two calls one, or it is refused."""

from typing import TYPE_CHECKING

from peer.calls.engaged import EngagedCall
from peer.calls.limits import CALL_MOVES_SECONDS, CALLS_RUNG_A_SECOND, CALLS_RUNG_AT_ONCE
from peer.entries.conversation import Conversation
from peer.links.link import Link
from peer.pace import Pace
from protocol.call_messages import CallOffer, CallWord
from protocol.call_states import CallEnd, CallState
from protocol.identity import UserId
from protocol.limits import CALL_RING_SECONDS

if TYPE_CHECKING:
    from peer.calls.service import CallService


class Offers:
    """Judges each offer; whoever may not call gets no answer at all."""

    def __init__(self, service: "CallService") -> None:
        self._service = service
        self._paces: dict[UserId, Pace] = {}

    def take(self, link: Link, offer: CallOffer) -> None:
        """Answer an offer."""
        service = self._service
        conversation = service.conversations.get(offer.conversation)
        if conversation is None or not service.lines.may_use(link, conversation):
            return
        engaged = service.engaged
        if engaged is not None and engaged.call.is_named(offer.call):
            self._take_again(engaged, link, offer)
        elif (ended := service.ended_as(offer.call)) is not None:
            self._refuse(link, offer, ended)
        elif engaged is not None and engaged.call.conversation is conversation:
            self._take_other(engaged, link, offer)
        elif not offer.rings:
            self._refuse(link, offer, CallWord.GONE)
        else:
            self._ring(link, offer, conversation)

    def _take_again(self, engaged: EngagedCall, link: Link, offer: CallOffer) -> None:
        if offer.call != engaged.call.wire:
            engaged.offer_to(link)  # by its name of now
        elif engaged.call.rings_here:
            engaged.take_ring(link, offer)
        else:
            engaged.take_offer(link, offer)

    def _take_other(self, engaged: EngagedCall, link: Link, offer: CallOffer) -> None:
        """Somebody began a call in the very conversation of ours: of two begun at once one stays."""
        call, service = engaged.call, self._service
        person = call.people.get(link.user) if link.user is not None else None
        if not call.is_group and person is not None and (person.is_in or call.rings_here):
            # They know nothing of the old one any more.
            engaged.leave(CallWord.GONE, CallEnd.WITHDRAWN if call.rings_here else CallEnd.LOST)
            self.take(link, offer)
        elif service.lines.now() - call.began >= CALL_MOVES_SECONDS:
            self._refuse(link, offer, CallWord.BUSY)
        elif offer.call < call.wire:
            engaged.move_to(offer.call)
            self._take_again(engaged, link, offer)
        elif call.takes_part:
            engaged.offer_to(link)

    def _ring(self, link: Link, offer: CallOffer, conversation: Conversation) -> None:
        service = self._service
        assert link.user is not None
        now = service.lines.now()
        age = offer.rung_ms / 1000 + link.silence(now)
        pace = self._paces.setdefault(link.user, Pace(CALLS_RUNG_AT_ONCE, CALLS_RUNG_A_SECOND))
        if age >= CALL_RING_SECONDS:
            self._refuse(link, offer, CallWord.NO_ANSWER)
        elif pace.take(now):
            self._refuse(link, offer, CallWord.RATE_LIMITED)
        elif service.engaged is not None:
            self._refuse(link, offer, CallWord.BUSY)
            missed = service.new_call(offer.call, conversation, CallState.RINGING, link.user)
            missed.reason = CallEnd.MISSED
            service.screen.ended(missed)
        else:
            call = service.new_call(offer.call, conversation, CallState.RINGING, link.user)
            call.began = now - age
            engaged = service.engage(call)
            engaged.take_ring(link, offer)
            service.call_rings(engaged)

    def _refuse(self, link: Link, offer: CallOffer, word: CallWord) -> None:
        assert link.device is not None
        self._service.lines.tell_over(link.device, offer.call, word, offer.leg.ssrc)

"""When two people are friends: a pure fold over both sides' consent entries.

Consent goes in rounds. In a round each says yes (asks or accepts) or ends it (declines or removes). Friends are
two who both said yes in the last open round; an ended round stays ended, and asking again opens the next one.
What counts is the set of things said, not their order, so both sides always come to the same answer.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from protocol.entries import Accepted, Asked, ConsentBody, Declined, Removed


class Consent(StrEnum):
    """How two people stand, seen by one of them."""

    STRANGERS = "stranger"
    ASKED_BY_ME = "asked"
    ASKED_BY_THEM = "asking"
    FRIENDS = "friend"
    DECLINED = "declined"
    REMOVED = "removed"


class Said(NamedTuple):
    """One consent entry: by whom, and what."""

    by_me: bool
    body: ConsentBody


class Standing(NamedTuple):
    """The result of the fold."""

    state: Consent
    round: int
    """The round that counts now; 0 when nobody ever asked."""

    @property
    def round_to_ask(self) -> int:
        """The round in which to ask (or to say yes to a request that crosses ours)."""
        return self.round + 1 if self.state in ENDED else max(self.round, 1)


ENDED = frozenset({Consent.DECLINED, Consent.REMOVED})

# (did I say yes, did they) in a round that nobody ended
OPEN_ROUND: dict[tuple[bool, bool], Consent] = {
    (False, False): Consent.STRANGERS,
    (True, False): Consent.ASKED_BY_ME,
    (False, True): Consent.ASKED_BY_THEM,
    (True, True): Consent.FRIENDS,
}


def fold_consent(said: Iterable[Said]) -> Standing:
    """Return how two people stand after all that was said, in whatever order it came."""
    rounds: dict[int, list[Said]] = {}
    for each in said:
        rounds.setdefault(each.body.round, []).append(each)
    standing = Standing(Consent.STRANGERS, 0)
    number = 1
    # A round that does not follow an ended one never counts: nobody can skip ahead of a "no".
    while number in rounds and (number == 1 or standing.state in ENDED):
        standing = Standing(_fold_round(rounds[number]), number)
        number += 1
    return standing


def _fold_round(said: list[Said]) -> Consent:
    if any(isinstance(each.body, Removed) for each in said):
        return Consent.REMOVED
    if any(isinstance(each.body, Declined) for each in said):
        return Consent.DECLINED
    yes = {each.by_me for each in said if isinstance(each.body, Asked | Accepted)}
    return OPEN_ROUND[True in yes, False in yes]


def were_ever_friends(said: Iterable[Said]) -> bool:
    """Tell whether there was a round in which both said yes, however it ended."""
    yes = {(each.body.round, each.by_me) for each in said if isinstance(each.body, Asked | Accepted)}
    return any((number, not by_me) in yes for number, by_me in yes)

"""Both sides come to the same answer about a friendship, in whatever order they hear what was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.consent import ENDED, OPEN_ROUND, Consent, Said, Standing, fold_consent
from protocol.entries import Accepted, Asked, ConsentBody, Declined, Removed
from protocol.identity import EntryId

ID, SALT = EntryId(bytes(16)), bytes(16)


def asked(number: int = 1) -> ConsentBody:
    return Asked(ID, SALT, number, "name")


def accepted(number: int = 1) -> ConsentBody:
    return Accepted(ID, SALT, number, "name")


def declined(number: int = 1) -> ConsentBody:
    return Declined(ID, SALT, number)


def removed(number: int = 1) -> ConsentBody:
    return Removed(ID, SALT, number)


def me(body: ConsentBody) -> Said:
    return Said(True, body)


def them(body: ConsentBody) -> Said:
    return Said(False, body)


@pytest.mark.parametrize(
    ("said", "state", "number"),
    [
        ([], Consent.STRANGERS, 0),
        ([me(asked())], Consent.ASKED_BY_ME, 1),
        ([them(asked())], Consent.ASKED_BY_THEM, 1),
        ([them(asked()), me(accepted())], Consent.FRIENDS, 1),
        ([me(asked()), them(accepted())], Consent.FRIENDS, 1),
        ([me(asked()), them(asked())], Consent.FRIENDS, 1),
        ([me(accepted())], Consent.ASKED_BY_ME, 1),
        ([them(asked()), me(declined())], Consent.DECLINED, 1),
        ([me(asked()), them(declined())], Consent.DECLINED, 1),
        ([me(asked()), me(removed())], Consent.REMOVED, 1),
        ([them(asked()), me(accepted()), them(removed())], Consent.REMOVED, 1),
        ([me(asked()), them(accepted()), me(removed()), them(declined())], Consent.REMOVED, 1),
        ([me(asked()), them(declined()), me(asked(2))], Consent.ASKED_BY_ME, 2),
        ([me(asked()), them(declined()), them(asked(2)), me(accepted(2))], Consent.FRIENDS, 2),
        ([me(asked()), me(removed()), them(asked(2)), me(declined(2)), me(asked(3))], Consent.ASKED_BY_ME, 3),
    ],
)
def test_rounds_of_consent(said: list[Said], state: Consent, number: int) -> None:
    assert fold_consent(said) == Standing(state, number)


def test_a_round_after_one_that_is_still_open_does_not_count() -> None:
    assert fold_consent([me(asked(1)), them(asked(2)), me(asked(2))]) == Standing(Consent.ASKED_BY_ME, 1)


def test_a_round_whose_predecessor_is_missing_does_not_count() -> None:
    assert fold_consent([them(asked(2)), me(accepted(2))]) == Standing(Consent.STRANGERS, 0)
    assert fold_consent([me(removed(1)), them(asked(3))]) == Standing(Consent.REMOVED, 1)


def test_an_ended_round_stays_ended_whatever_comes_late() -> None:
    over = [me(asked()), them(declined())]
    assert fold_consent([*over, them(accepted())]).state is Consent.DECLINED
    assert fold_consent([*over, me(accepted()), them(asked())]).state is Consent.DECLINED


@pytest.mark.parametrize(
    ("standing", "number"),
    [
        (Standing(Consent.STRANGERS, 0), 1),
        (Standing(Consent.ASKED_BY_THEM, 1), 1),
        (Standing(Consent.ASKED_BY_ME, 4), 4),
        (Standing(Consent.DECLINED, 1), 2),
        (Standing(Consent.REMOVED, 7), 8),
    ],
)
def test_asking_goes_on_in_an_open_round_and_opens_the_next_after_an_ended_one(standing: Standing, number: int) -> None:
    assert standing.round_to_ask == number


def test_the_table_of_open_rounds_is_complete() -> None:
    assert len(OPEN_ROUND) == 4
    assert set(OPEN_ROUND.values()) | ENDED == set(Consent)


SAID = st.lists(
    st.builds(
        Said,
        st.booleans(),
        st.builds(
            lambda make, number: make(number), st.sampled_from([asked, accepted, declined, removed]), st.integers(1, 4)
        ),
    ),
    max_size=10,
)
SEEN_BY_THEM = {Consent.ASKED_BY_ME: Consent.ASKED_BY_THEM, Consent.ASKED_BY_THEM: Consent.ASKED_BY_ME}


@given(SAID, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_what_was_said_do_not_matter(said: list[Said], chance: object) -> None:
    shuffled = [*said, *said]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold_consent(shuffled) == fold_consent(said)


@given(SAID)
def test_both_sides_see_the_same_standing_from_their_own_side(said: list[Said]) -> None:
    mine = fold_consent(said)
    theirs = fold_consent([Said(not each.by_me, each.body) for each in said])
    assert theirs == (SEEN_BY_THEM.get(mine.state, mine.state), mine.round)


@given(SAID)
def test_two_who_ask_and_accept_in_the_round_to_ask_are_friends(said: list[Said]) -> None:
    standing = fold_consent(said)
    counted = [each for each in said if each.body.round <= standing.round]
    assert fold_consent(counted) == standing
    if standing.state is not Consent.FRIENDS:
        number = standing.round_to_ask
        assert fold_consent([*counted, me(asked(number)), them(accepted(number))]) == (Consent.FRIENDS, number)

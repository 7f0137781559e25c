"""What a message is after all that was said about it does not depend on the order in which it came."""

import itertools
import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.acts import Act, Original, Present, Shown, emoji_of, fitting, fold_acts, is_one_emoji
from protocol.entries import BODIES, Mention, Text
from protocol.errors import RemoteProtocolError
from protocol.group_bodies import Seen
from protocol.identity import EntryHash, EntryId, FeedId, UserId
from ui.conversation.emoji.table import read_table

ANA, BO, CHEN = UserId("ana"), UserId("bo"), UserId("chen")
TARGET, SALT = EntryId(b"t" * 16), bytes(16)
HELLO = Original(ANA, "hello", (), is_text=True)


def entry(number: int) -> EntryId:
    return EntryId(number.to_bytes(16, "big"))


def edit(author: UserId, revision: int, text: str, number: int = 1) -> Act:
    return Act(author, 1000 + number, Edited(entry(number), SALT, TARGET, revision, text))


def reaction(author: UserId, revision: int, emoji: str, number: int = 1) -> Act:
    return Act(author, 1000 + number, Reacted(entry(number), SALT, TARGET, revision, emoji))


PEOPLE = st.sampled_from([ANA, BO, CHEN])
ACTS = st.builds(
    lambda author, revision, number, stamp, text, is_edit: Act(
        author,
        stamp,
        Edited(entry(number), SALT, TARGET, revision, text)
        if is_edit
        else Reacted(entry(number), SALT, TARGET, revision, text),
    ),
    PEOPLE,
    st.integers(1, 4),
    st.integers(0, 1000),
    st.integers(0, 3),
    st.sampled_from(["", " ", "👍", "❤️", "one", "two"]),
    st.booleans(),
)


@given(st.lists(ACTS, max_size=12, unique_by=lambda act: act.body.entry_id), st.randoms(use_true_random=False))
def test_every_order_of_arrival_gives_the_same_message(acts: list[Act], chance: random.Random) -> None:
    expected = fold_acts(HELLO, acts)
    shuffled = acts * 2
    chance.shuffle(shuffled)
    assert fold_acts(HELLO, shuffled) == expected


def test_the_last_edit_of_the_author_counts_and_of_nobody_else() -> None:
    acts = [edit(ANA, 2, "second", 1), edit(ANA, 1, "first", 9), edit(BO, 7, "mine now", 5)]
    for order in itertools.permutations(acts):
        present = fold_acts(HELLO, order)
        assert (present.text, present.edited) == ("second", 1001)


def test_of_two_devices_that_edit_at_once_one_wins_everywhere() -> None:
    acts = [edit(ANA, 1, "from the desk", 4), edit(ANA, 1, "from the bus", 8)]
    assert {fold_acts(HELLO, order).text for order in itertools.permutations(acts)} == {"from the bus"}


def test_a_text_cannot_be_edited_into_nothing_but_a_caption_can() -> None:
    assert fold_acts(HELLO, [edit(ANA, 1, " \n")]).text == "hello"
    picture = Original(ANA, "look", (), is_text=False)
    assert fold_acts(picture, [edit(ANA, 1, "")]).text == ""
    too_long = edit(ANA, 1, "x" * (limits.CAPTION_LENGTH + 1))
    assert fold_acts(picture, [too_long]).text == "look"


def test_reactions_stand_in_the_order_of_their_first_use_one_of_each_person() -> None:
    acts = [
        reaction(BO, 1, "👍", 2),
        reaction(CHEN, 1, "❤️", 3),
        reaction(ANA, 1, "👍", 4),
        reaction(CHEN, 2, "👍", 5),
        reaction(ANA, 2, "", 6),
    ]
    for order in itertools.permutations(acts):
        assert fold_acts(HELLO, order).reactions == (Shown("👍", (BO, CHEN)),)
    assert fold_acts(HELLO, acts[:3]).reactions == (Shown("👍", (BO, ANA)), Shown("❤️", (CHEN,)))


def test_a_deletion_by_the_author_or_a_manager_beats_everything_else() -> None:
    place = Seen(FeedId(bytes(48)), 1, EntryHash(bytes(32)))
    acts = [edit(ANA, 9, "edited", 1), reaction(BO, 1, "👍", 2)]
    by_chen = Act(CHEN, 5, Deleted(entry(3), SALT, TARGET, place))
    assert fold_acts(HELLO, [*acts, by_chen]).text == "edited"
    deletions = [by_chen._replace(by_manager=True), by_chen._replace(author=BO, by_manager=True)]
    for order in itertools.permutations([*acts, *deletions]):
        assert fold_acts(HELLO, order) == Present("", (), deleted_by=BO)
    by_ana = Act(ANA, 9, Deleted(entry(4), SALT, TARGET, place))
    assert fold_acts(HELLO, [*acts, *deletions, by_ana]).deleted_by == ANA


def test_an_edit_of_a_megabyte_is_none() -> None:
    with pytest.raises(ValueError, match="too long"):
        Edited(entry(1), SALT, TARGET, 1, "é" * limits.TEXT_BYTES)
    content = BODIES.encode_body(Edited(entry(1), SALT, TARGET, 1, "")).replace(
        b"\xa0", b"\xdb\x00\x10\x00\x00" + b"x" * 2**20
    )
    with pytest.raises(RemoteProtocolError):
        BODIES.decode_body(BODIES.number_of(Edited), content)


# --- emoji ---------------------------------------------------------------------------------------


def test_every_emoji_that_can_be_picked_is_one() -> None:
    every = [text for emoji in read_table() for text in (emoji.text, *emoji.tones)]
    assert len(every) > 3000
    assert [text for text in every if not is_one_emoji(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "5",
        "👍👍",
        "👍 ",
        "👍\n",
        "ok",
        "\u200d",
        "\ufe0f",
        "👍" + "\u0301" * 20,
        "🇩",
        "👨" + "\u200d👨" * 20,
        "\u202e👍",
    ],
)
def test_nothing_else_is_an_emoji(text: str) -> None:
    assert not is_one_emoji(text)
    assert emoji_of(Reacted(entry(1), SALT, TARGET, 1, text)) == ""


@given(st.text(max_size=limits.EMOJI_LENGTH))
def test_no_letter_mark_or_control_passes_for_an_emoji(text: str) -> None:
    if is_one_emoji(text):
        kinds = {unicodedata.category(character)[0] for character in text if character not in "\ufe0f\u200d\u20e3"}
        assert not kinds & {"L", "M", "Z"} or "\u2139" in text or "\u24c2" in text


# --- mentions ------------------------------------------------------------------------------------

MENTIONS = st.builds(Mention, PEOPLE, st.integers(0, 12), st.integers(1, 12))


@given(st.lists(MENTIONS, max_size=8), st.text(max_size=12))
def test_mentions_that_are_shown_lie_in_the_text_and_apart(mentions: list[Mention], text: str) -> None:
    end = 0
    for mention in fitting(mentions, text):
        assert mention in mentions
        assert end <= mention.start
        end = mention.start + mention.length
    assert end <= len(text)


def test_mentions_are_counted_in_code_points() -> None:
    text = "👋 @bo"
    assert fitting([Mention(BO, 2, 3)], text) == (Mention(BO, 2, 3),)
    assert text[2:5] == "@bo"


def test_a_text_without_mentions_has_the_bytes_it_had_before_there_were_any() -> None:
    array_of_four, array_of_five = 0x94, 0x95
    assert BODIES.encode_body(Text(entry(1), SALT, "hi"))[0] == array_of_four
    assert BODIES.encode_body(Text(entry(1), SALT, "hi", None, (Mention(ANA, 0, 2),)))[0] == array_of_five

"""Whatever two replicas hold, comparing vectors tells what to send, and they end up holding the same."""

import hashlib
import itertools

from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.identity import ConversationId, EntryHash, FeedId
from protocol.link_messages import (
    LINK,
    Buckets,
    ConversationDigest,
    Digests,
    ForkPoint,
    Lines,
    Range,
    ReadLine,
    Reads,
    VectorLine,
)
from protocol.registry import Message
from protocol.replication import (
    ALL_BUCKETS,
    NO_BUCKETS,
    Gap,
    add_number,
    bucket_of,
    counted_header,
    covers,
    differing_buckets,
    digest_of,
    gaps,
    holds_entry,
    in_mask,
    last_agreement,
    probe_numbers,
    split_by_buckets,
    subtract,
    union,
)

FEEDS = [FeedId(hashlib.sha512(bytes([n])).digest()[:48]) for n in range(12)]
MOST = 30
NUMBERS = st.sets(st.integers(1, MOST))


def hash_at(feed: FeedId, number: int) -> EntryHash:
    return EntryHash(hashlib.sha256(feed + bytes([number])).digest())


def line_of(feed: FeedId, head: int, lacking: tuple[Range, ...] = (), *, closed: bool = False) -> VectorLine:
    return VectorLine(feed, 1, head, hash_at(feed, head), closed, lacking)


def as_ranges(numbers: set[int]) -> tuple[Range, ...]:
    found: tuple[Range, ...] = ()
    for number in sorted(numbers):
        found = add_number(found, number)
    return found


def as_numbers(ranges: tuple[Range, ...]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


# --- ranges ----------------------------------------------------------------------------------


def test_neighbouring_ranges_are_joined() -> None:
    assert union(((1, 2),), ((3, 4), (6, 6))) == ((1, 4), (6, 6))


def test_a_hole_splits_a_range() -> None:
    assert subtract(((1, 9),), ((4, 5), (9, 12))) == ((1, 3), (6, 8))


@given(NUMBERS)
def test_ranges_are_sorted_apart_and_hold_just_their_numbers(numbers: set[int]) -> None:
    ranges = as_ranges(numbers)
    assert as_numbers(ranges) == numbers
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(ranges))


@given(NUMBERS, NUMBERS)
def test_ranges_behave_as_sets_of_numbers(one: set[int], other: set[int]) -> None:
    assert union(as_ranges(one), as_ranges(other)) == as_ranges(one | other)
    assert subtract(as_ranges(one), as_ranges(other)) == as_ranges(one - other)
    assert {n for n in range(MOST + 2) if covers(as_ranges(one), n)} == one


LOOSE = st.lists(st.tuples(st.integers(1, MOST), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=8).map(
    tuple
)


@given(LOOSE, LOOSE)
def test_ranges_that_overlap_or_come_unsorted_mean_the_same_numbers(
    one: tuple[Range, ...], other: tuple[Range, ...]
) -> None:
    assert as_numbers(union(one, other)) == as_numbers(one) | as_numbers(other)
    assert as_numbers(subtract(one, other)) == as_numbers(one) - as_numbers(other)


# --- digests ---------------------------------------------------------------------------------

LACKING = NUMBERS.map(as_ranges)
LINES = st.dictionaries(st.sampled_from(FEEDS), st.tuples(st.integers(1, MOST), LACKING)).map(
    lambda held: {
        feed: line_of(feed, head, subtract(lacking, ((head + 1, MOST),))) for feed, (head, lacking) in held.items()
    }
)


@given(LINES, st.randoms(use_true_random=False))
def test_a_digest_does_not_depend_on_the_order_of_lines(lines: dict[FeedId, VectorLine], chance: object) -> None:
    shuffled = list(lines.values())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest_of(shuffled) == digest_of(lines.values())


@given(LINES, LINES)
def test_digests_are_equal_when_the_lines_are(one: dict[FeedId, VectorLine], other: dict[FeedId, VectorLine]) -> None:
    mine, theirs = digest_of(one.values()), digest_of(other.values())
    assert (mine == theirs) == (one == other) == (mine.root == theirs.root)


@given(LINES, LINES)
def test_the_mask_names_just_the_buckets_with_a_difference(
    one: dict[FeedId, VectorLine], other: dict[FeedId, VectorLine]
) -> None:
    mask = differing_buckets(digest_of(one.values()).buckets, digest_of(other.values()).buckets)
    different = {bucket_of(feed) for feed in one.keys() | other.keys() if one.get(feed) != other.get(feed)}
    assert {bucket_of(feed) for feed in FEEDS if in_mask(mask, feed)} >= different
    assert sum((byte).bit_count() for byte in mask) == len(different)


@given(LINES, st.binary(min_size=8, max_size=8), st.integers(1, 500))
def test_lines_cut_into_parts_are_told_whole_and_once(
    lines: dict[FeedId, VectorLine], mask: bytes, largest: int
) -> None:
    parts = split_by_buckets(lines, mask, largest)
    told = [line for _, some in parts for line in some]
    assert {line.feed: line for line in told} == {n: line for n, line in lines.items() if in_mask(mask, n)}
    assert len({line.feed for line in told}) == len(told)
    assert sum(int.from_bytes(part, "big") for part, _ in parts) == int.from_bytes(mask, "big"), "no bucket twice"
    assert all(in_mask(part, line.feed) for part, some in parts for line in some)


def test_the_fullest_bucket_fits_one_frame() -> None:
    ranges = tuple((2**52 + 2 * n, 2**52 + 2 * n) for n in range(limits.LACKING_RANGES))
    places = (FeedId(hashlib.sha512(n.to_bytes(4, "big")).digest()[:48]) for n in itertools.count())
    names = itertools.islice((name for name in places if bucket_of(name) == 0), limits.FEEDS_PER_BUCKET)
    lines = {
        name: VectorLine(name, 2**52, 2**53 - 1, EntryHash(b"h" * 32), closed=True, lacking=ranges) for name in names
    }
    ((mask, some),) = split_by_buckets(lines, b"\x01" + bytes(7), limits.ENTRY_BATCH_BYTES)
    message = Lines(ConversationId(b"c" * 32), mask, some, answer=True)
    assert len(LINK.encode(message)) <= limits.LINK_FRAME


def test_the_most_read_ranges_fit_one_frame() -> None:
    ranges = tuple((2**52 + 2 * n, 2**52 + 2 * n) for n in range(limits.READ_RANGES))
    reads = tuple(ReadLine(feed, ranges) for feed in FEEDS[:1] * limits.READ_LINES_PER_MESSAGE)
    assert len(LINK.encode(Reads(ConversationId(b"c" * 32), reads))) <= limits.LINK_FRAME


def test_two_replicas_of_1000_feeds_find_in_less_than_2_kib_that_they_are_equal_or_that_one_feed_differs() -> None:
    places = (FeedId(hashlib.sha512(n.to_bytes(4, "big")).digest()[:48]) for n in itertools.count())
    mine = {name: VectorLine(name, 1, 200, hash_at(name, 200)) for name in itertools.islice(places, 1000)}
    name = ConversationId(b"c" * 32)

    def size(*messages: Message) -> int:
        return sum(len(LINK.encode(message)) for message in messages)

    mine_digest = digest_of(mine.values())
    said = Digests((ConversationDigest(name, mine_digest.root),))
    equal = Lines(name, NO_BUCKETS, (), answer=False)
    assert size(said, said, equal, equal) < 400, "both say it, both agree"

    changed = next(iter(mine))
    theirs = mine | {changed: VectorLine(changed, 1, 201, hash_at(changed, 201))}
    digest = digest_of(theirs.values())
    mask = differing_buckets(mine_digest.buckets, digest.buckets)
    ((_, some),) = split_by_buckets(mine, mask, limits.ENTRY_BATCH_BYTES)
    ((_, others),) = split_by_buckets(theirs, mask, limits.ENTRY_BATCH_BYTES)
    asked, answered = Lines(name, mask, some, answer=True), Lines(name, mask, others, answer=False)
    assert size(said, Buckets(name, digest.buckets)) < 1024
    assert size(asked, answered) < 8 * 1024, "one bucket of 64, both ways"


def test_a_digest_is_64_hashes_of_8_bytes_under_one_root() -> None:
    root, buckets = digest_of(())
    assert buckets == hashlib.sha256(b"").digest()[:8] * limits.DIGEST_BUCKETS
    assert root == hashlib.sha256(buckets).digest()


def test_who_holds_less_of_the_past_has_the_same_digest() -> None:
    line = line_of(FEEDS[0], 9)
    later = VectorLine(line.feed, 5, line.head, line.head_hash)
    assert digest_of([line]) == digest_of([later])


def test_a_closed_feed_has_another_digest_than_an_open_one() -> None:
    assert digest_of([line_of(FEEDS[0], 9)]) != digest_of([line_of(FEEDS[0], 9, closed=True)])


def test_masks_of_all_and_of_no_buckets() -> None:
    assert all(in_mask(ALL_BUCKETS, feed) and not in_mask(NO_BUCKETS, feed) for feed in FEEDS)
    assert len(ALL_BUCKETS) == len(NO_BUCKETS) == 8


def test_bucket_n_is_bit_n_mod_8_of_byte_n_div_8() -> None:
    feed = FEEDS[3]
    number = hashlib.sha256(feed).digest()[0] % 64
    mask = bytearray(8)
    mask[number // 8] = 1 << number % 8
    assert bucket_of(feed) == number
    assert differing_buckets(digest_of(()).buckets, digest_of([line_of(feed, 1)]).buckets) == mask
    assert [other for other in FEEDS if in_mask(bytes(mask), other)] == [
        other for other in FEEDS if bucket_of(other) == number
    ]


# --- gaps ------------------------------------------------------------------------------------


def test_a_feed_they_do_not_know_is_sent_whole() -> None:
    assert gaps({FEEDS[0]: line_of(FEEDS[0], 5)}, {}) == [Gap(FEEDS[0], 1, 5)]


def test_only_what_lies_beyond_their_head_is_sent() -> None:
    feed = FEEDS[0]
    assert gaps({feed: line_of(feed, 5)}, {feed: line_of(feed, 3)}) == [Gap(feed, 4, 5)]
    assert gaps({feed: line_of(feed, 3)}, {feed: line_of(feed, 5)}) == []


def test_a_feed_that_they_know_to_be_closed_is_not_sent_beyond_its_end() -> None:
    feed = FEEDS[0]
    assert gaps({feed: line_of(feed, 9)}, {feed: line_of(feed, 5, closed=True)}) == []


def test_the_end_of_a_closed_feed_is_sent_to_who_has_not_got_there() -> None:
    feed = FEEDS[0]
    assert gaps({feed: line_of(feed, 5, closed=True)}, {feed: line_of(feed, 3)}) == [Gap(feed, 4, 5)]


def test_bodies_they_lack_are_sent_where_i_hold_them() -> None:
    feed = FEEDS[0]
    mine, theirs = line_of(feed, 9, ((4, 4),)), line_of(feed, 9, ((2, 5),))
    assert gaps({feed: mine}, {feed: theirs}) == [Gap(feed, 2, 3), Gap(feed, 5, 5)]


def test_bodies_beyond_my_head_are_not_promised() -> None:
    feed = FEEDS[0]
    assert gaps({feed: line_of(feed, 5)}, {feed: line_of(feed, 9, ((4, 8),))}) == [Gap(feed, 4, 5)]


def test_an_entry_counts_as_held_with_its_body_only() -> None:
    line = VectorLine(FEEDS[0], 3, 9, hash_at(FEEDS[0], 9), lacking=((5, 6),))
    assert [number for number in range(1, 12) if holds_entry(line, number)] == [3, 4, 7, 8, 9]


class Replica:
    """Holds heads and bodies of feeds, and takes what it is sent as the rules allow."""

    def __init__(self, held: dict[FeedId, tuple[int, set[int]]]) -> None:
        self.heads = {feed: head for feed, (head, _) in held.items()}
        self.bodies = {feed: {n for n in bodies if n <= head} for feed, (head, bodies) in held.items()}

    def lines(self) -> dict[FeedId, VectorLine]:
        return {
            feed: line_of(feed, head, as_ranges(set(range(1, head + 1)) - self.bodies[feed]))
            for feed, head in self.heads.items()
        }

    def offer(self, other: "Replica") -> list[tuple[FeedId, int, bool]]:
        mine = self.lines()
        return [
            (feed, number, holds_entry(mine[feed], number))
            for feed, first, last in gaps(mine, other.lines())
            for number in range(first, last + 1)
        ]

    def take(self, entries: list[tuple[FeedId, int, bool]]) -> None:
        for feed, number, with_body in entries:
            head = self.heads.get(feed, 0)
            if number > head + 1:
                continue
            self.heads[feed] = max(head, number)
            if with_body:
                self.bodies.setdefault(feed, set()).add(number)
            else:
                self.bodies.setdefault(feed, set())


HELD = st.dictionaries(st.sampled_from(FEEDS[:4]), st.tuples(st.integers(1, 12), st.sets(st.integers(1, 12))))


@given(HELD, HELD)
def test_two_replicas_that_exchange_their_gaps_hold_the_same(
    one: dict[FeedId, tuple[int, set[int]]], other: dict[FeedId, tuple[int, set[int]]]
) -> None:
    ann, bob = Replica(one), Replica(other)
    known = {feed: ann.bodies.get(feed, set()) | bob.bodies.get(feed, set()) for feed in one.keys() | other.keys()}
    for_ann, for_bob = bob.offer(ann), ann.offer(bob)
    ann.take(for_ann)
    bob.take(for_bob)
    assert ann.lines() == bob.lines()
    assert ann.bodies == known
    assert digest_of(ann.lines().values()) == digest_of(bob.lines().values())
    assert ann.offer(bob) == bob.offer(ann) == []


@given(
    st.lists(HELD, min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 40))),
)
def test_replicas_converge_through_meetings_that_break_off_anywhere(
    held: list[dict[FeedId, tuple[int, set[int]]]], meetings: list[tuple[int, int, int]]
) -> None:
    replicas = [Replica(each) for each in held]
    for giver, taker, got_through in meetings:
        replicas[taker].take(replicas[giver].offer(replicas[taker])[:got_through])
    for giver, taker in [(0, 1), (1, 2), (2, 1), (1, 0)]:
        replicas[taker].take(replicas[giver].offer(replicas[taker]))
    assert replicas[0].lines() == replicas[1].lines() == replicas[2].lines()


# --- forks -----------------------------------------------------------------------------------


def test_probes_start_at_the_head_and_get_sparser() -> None:
    assert probe_numbers(1) == [1]
    assert probe_numbers(2) == [2, 1]
    assert probe_numbers(100) == [100, 99, 98, 96, 92, 84, 68, 36, 1]


@given(st.integers(1, limits.LARGEST_NUMBER))
def test_probes_fit_their_message_and_reach_the_beginning(head: int) -> None:
    numbers = probe_numbers(head)
    assert numbers[0] == head
    assert numbers[-1] == 1
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) <= limits.FORK_POINTS


@given(st.integers(1, 200), st.integers(0, 200), st.integers(1, 200))
def test_the_point_found_is_before_the_fork_and_not_far_before(mine: int, parted: int, theirs: int) -> None:
    feed, agreed = FEEDS[0], min(parted, mine, theirs)
    held = {n: hash_at(feed, n) for n in range(1, mine + 1)}
    points = [ForkPoint(n, hash_at(feed, n) if n <= agreed else EntryHash(b"x" * 32)) for n in probe_numbers(theirs)]
    found = last_agreement(points, held)
    assert found <= agreed
    if agreed:
        # No more than about twice of what differs is sent again.
        assert theirs - found <= max(2 * (theirs - agreed) - 1, 0)


def test_who_agrees_nowhere_agrees_at_nothing() -> None:
    assert last_agreement([], {1: hash_at(FEEDS[0], 1)}) == 0


def test_of_two_headers_the_lower_hash_counts_for_everyone() -> None:
    low, high = EntryHash(bytes(32)), EntryHash(b"\xff" * 32)
    assert counted_header(low, high) == counted_header(high, low) == low

"""Set reconciliation of replicated feeds: what differs, and what to send. Pure; all committed state is handed in."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from protocol import limits
from protocol.identity import EntryHash, FeedId, to_builtin
from protocol.link_messages import ForkPoint, Range, VectorLine

NO_BUCKETS = bytes(limits.DIGEST_BUCKETS // 8)
ALL_BUCKETS = b"\xff" * len(NO_BUCKETS)
_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_builtin)


class Gap(NamedTuple):
    """Entries of one feed that the other side lacks: numbers `first` to `last`, both included."""

    feed: FeedId
    first: int
    last: int


class Digest(NamedTuple):
    """What somebody holds of a conversation, in 32 bytes and in 64 × 8."""

    root: EntryHash
    buckets: bytes


def bucket_of(feed: FeedId) -> int:
    """Return the bucket (0 to 63) in which a feed's line is hashed."""
    return hashlib.sha256(feed).digest()[0] % limits.DIGEST_BUCKETS


def digest_of(lines: Iterable[VectorLine]) -> Digest:
    """Return the digest of a conversation's lines, whatever order they come in."""
    in_bucket: dict[int, list[bytes]] = {}
    for line in lines:
        # The floor is left out: who holds less of the past does not lack anything new.
        told = (line.feed, line.head, line.head_hash, line.closed, line.lacking)
        in_bucket.setdefault(bucket_of(line.feed), []).append(_ENCODER.encode(told))
    hashes = bytearray()
    for number in range(limits.DIGEST_BUCKETS):
        joined = hashlib.sha256(b"".join(sorted(in_bucket.get(number, ())))).digest()
        hashes += joined[: limits.BUCKET_HASH_BYTES]
    buckets = bytes(hashes)
    return Digest(EntryHash(hashlib.sha256(buckets).digest()), buckets)


def differing_buckets(mine: bytes, theirs: bytes) -> bytes:
    """Return a mask with a bit set for each bucket whose hashes differ."""
    size = limits.BUCKET_HASH_BYTES
    mask = bytearray(NO_BUCKETS)
    for number in range(limits.DIGEST_BUCKETS):
        place = slice(number * size, (number + 1) * size)
        if mine[place] != theirs[place]:
            mask[number // 8] |= 1 << number % 8
    return bytes(mask)


def mask_of(feeds: Iterable[FeedId]) -> bytes:
    """Return a mask with the bits of these feeds' buckets."""
    mask = bytearray(NO_BUCKETS)
    for feed in feeds:
        bucket = bucket_of(feed)
        mask[bucket // 8] |= 1 << bucket % 8
    return bytes(mask)


def in_mask(mask: bytes, feed: FeedId) -> bool:
    """Tell whether a feed's bucket is one of those in the mask."""
    number = bucket_of(feed)
    return bool(mask[number // 8] >> number % 8 & 1)


def split_by_buckets(
    lines: Mapping[FeedId, VectorLine], mask: bytes, largest: int
) -> list[tuple[bytes, tuple[VectorLine, ...]]]:
    """Cut the lines in the buckets of `mask` into (mask, lines) parts of at most `largest` bytes, a bucket at least.

    The masks of the parts make up `mask`, and each part is all there is in its buckets.
    """
    in_bucket: dict[int, list[VectorLine]] = {}
    for name, line in lines.items():
        in_bucket.setdefault(bucket_of(name), []).append(line)
    parts: list[tuple[bytes, tuple[VectorLine, ...]]] = []
    part: list[VectorLine] = []
    part_mask, size = bytearray(NO_BUCKETS), 0
    for bucket in range(limits.DIGEST_BUCKETS):
        if not mask[bucket // 8] >> bucket % 8 & 1:
            continue
        weight = sum(len(_ENCODER.encode(line)) for line in in_bucket.get(bucket, ()))
        if part and size + weight > largest:
            parts.append((bytes(part_mask), tuple(part)))
            part, part_mask, size = [], bytearray(NO_BUCKETS), 0
        part_mask[bucket // 8] |= 1 << bucket % 8
        part += in_bucket.get(bucket, ())
        size += weight
    if any(part_mask):
        parts.append((bytes(part_mask), tuple(part)))
    return parts


def gaps(mine: Mapping[FeedId, VectorLine], theirs: Mapping[FeedId, VectorLine]) -> list[Gap]:
    """Return what to send so that the other side holds all that I hold, feed by feed.

    A feed that either side knows to be closed is not sent beyond its end, and bodies are offered only where I
    hold them.
    """
    found: list[Gap] = []
    for feed, line in mine.items():
        their_line = theirs.get(feed)
        if their_line is None:
            found.append(Gap(feed, line.floor, line.head))
            continue
        if line.head > their_line.head and not their_line.closed:
            found.append(Gap(feed, their_line.head + 1, line.head))
        found.extend(
            Gap(feed, first, min(last, line.head))
            for first, last in subtract(their_line.lacking, line.lacking)
            if first <= line.head
        )
    return found


def add_number(ranges: Iterable[Range], number: int) -> tuple[Range, ...]:
    """Return the ranges with one more number."""
    return union(ranges, ((number, number),))


def latest(ranges: Sequence[Range], most: int) -> tuple[Range, ...]:
    """Return the highest numbers of sorted ranges, `most` at most."""
    kept: list[Range] = []
    for first, last in reversed(ranges):
        if most > 0:
            kept.append((max(first, last - most + 1), last))
        most -= last - first + 1
    return tuple(reversed(kept))


def union(one: Iterable[Range], other: Iterable[Range]) -> tuple[Range, ...]:
    """Return all numbers of either, as sorted ranges that do not touch."""
    joined: list[Range] = []
    for first, last in sorted((*one, *other)):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def subtract(one: Iterable[Range], other: Iterable[Range]) -> tuple[Range, ...]:
    """Return the numbers of `one` that are not in `other`."""
    left: list[Range] = []
    holes = sorted(other)
    for first, last in sorted(one):
        start = first
        for hole_first, hole_last in holes:
            if hole_last < start or hole_first > last:
                continue
            if hole_first > start:
                left.append((start, hole_first - 1))
            start = hole_last + 1
        if start <= last:
            left.append((start, last))
    return tuple(left)


def count_numbers(ranges: Iterable[Range]) -> int:
    """Return how many numbers the ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def covers(ranges: Iterable[Range], number: int) -> bool:
    """Tell whether a number lies in one of the ranges."""
    return any(first <= number <= last for first, last in ranges)


def at_most(ranges: tuple[Range, ...], count: int) -> tuple[Range, ...]:
    """Return at most so many ranges that hold at least these numbers: the lowest ones are joined."""
    surplus = len(ranges) - count
    if surplus <= 0:
        return ranges
    return ((ranges[0][0], ranges[surplus][1]), *ranges[surplus + 1 :])


def holds_entry(line: VectorLine, number: int) -> bool:
    """Tell whether a vector line promises the entry with its body: the meaning of "delivered"."""
    return line.floor <= number <= line.head and not covers(line.lacking, number)


def probe_numbers(head: int) -> list[int]:
    """Return the numbers at which to show one's hashes to find a fork: head, head-1, -2, -4, … and 1."""
    numbers = [head]
    step = 1
    while head - step > 1 and len(numbers) < limits.FORK_POINTS - 1:
        numbers.append(head - step)
        step *= 2
    if numbers[-1] != 1:
        numbers.append(1)
    return numbers


def last_agreement(points: Iterable[ForkPoint], mine: Mapping[int, EntryHash]) -> int:
    """Return the highest number at which both sides hold the same hash; 0 if there is none."""
    return max((point.number for point in points if mine.get(point.number) == point.hash), default=0)


def counted_header(first: EntryHash, second: EntryHash) -> EntryHash:
    """Return the hash that counts of two headers with one number: the lower, for everyone."""
    return min(first, second)

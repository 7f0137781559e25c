"""Puts a copy of what is here somewhere else, proven piece by piece on the way. Blocking, for a file thread."""

from collections.abc import Callable, Sequence
from pathlib import Path

from peer.errors import Refusal, RefusalCode
from peer.transfers import landing
from peer.transfers.content import Content, Part, make_room
from peer.transfers.disk_errors import refusal_for_writing
from protocol import limits
from protocol.entries import Attachment
from protocol.manifests import PieceTable, new_hasher, piece_length

_STEP = limits.SMALLEST_PIECE_BYTES


class SourceChangedError(Exception):
    """What should be here is not, or is something else by now."""


def save_copy(
    source: Sequence[Part], body: Attachment, table: PieceTable, wanted: Path, went_on: Callable[[int], bool]
) -> Path:
    """Return where the copy is: `wanted`, or with a number where something is there already.

    `went_on` is told after each piece how many bytes are there, and answers whether to go on.
    Raises SourceChangedError, and Refusal for a disk that does not take it; then nothing was left there.
    """
    part = wanted.with_name(f".hail-{body.entry_id.hex()}.copy")
    is_folder = body.files > 0
    try:
        landing.throw_away(part)
        parts = landing.parts_at(part, body, table)
        make_room(parts)
        landing.need_room(part, table.size)
        with Content(source) as original, Content(parts, writing=True) as copy:
            _copy_all(original, copy, table, went_on)
        landing.flush(parts, part, is_folder=is_folder)
        return _put_in_place(part, wanted, is_folder=is_folder)
    except OSError as error:
        landing.throw_away(part)
        raise refusal_for_writing(error) from error
    except BaseException:
        landing.throw_away(part)
        raise


def _copy_all(original: Content, copy: Content, table: PieceTable, went_on: Callable[[int], bool]) -> None:
    for piece in range(table.pieces):
        _copy_piece(original, copy, table, piece)
        if not went_on(min((piece + 1) * table.piece_bytes, table.size)):
            raise Refusal(RefusalCode.CANCELLED, "It was not copied: Hail was closed first.")


def _copy_piece(original: Content, copy: Content, table: PieceTable, piece: int) -> None:
    buffer = memoryview(bytearray(_STEP))
    start, left, hasher = piece * table.piece_bytes, piece_length(table.size, piece), new_hasher()
    while left:
        chunk = buffer[: min(left, len(buffer))]
        try:
            original.read_into(start, chunk)
        except (OSError, EOFError) as error:
            raise SourceChangedError from error
        hasher.update(chunk)
        copy.write_at(start, chunk)
        start, left = start + len(chunk), left - len(chunk)
    if hasher.digest() != table.hash_of(piece):
        raise SourceChangedError


def _put_in_place(part: Path, wanted: Path, *, is_folder: bool) -> Path:
    while True:
        place = landing.Place(landing.free_place(wanted), part)
        try:
            return landing.land(place, is_folder=is_folder).path
        except FileExistsError:
            continue  # somebody was quicker with this name

"""What is said between the program and the process that decodes pictures: one task, one answer, in turn."""

from enum import StrEnum
from typing import IO

import msgspec

from peer.errors import RefusalCode
from peer.pictures.formats import PictureFormat

_LENGTH_BYTES = 4


class Job(StrEnum):
    """What is to be made of a picture."""

    THUMBNAIL = "thumbnail"
    PREPARE = "prepare"
    CLEAN = "clean"


class Task(msgspec.Struct, frozen=True):
    """One picture and what is to be made of it."""

    job: Job
    name: str
    """What the file is called in sentences."""
    content: bytes
    longest_side: int = 0
    """For `clean`, in pixels."""


class Thumbnail(msgspec.Struct, frozen=True, tag=True):
    """A small JPEG of a picture, and the size of the picture itself as it is seen."""

    jpeg: bytes
    width: int
    height: int


class CleanPicture(msgspec.Struct, frozen=True, tag=True):
    """A picture written anew, pixels and nothing else, upright."""

    content: bytes
    kind: PictureFormat
    width: int
    height: int
    frames: int = 1
    """More than one if it moves."""


class PreparedPicture(msgspec.Struct, frozen=True, tag=True):
    """A picture of our own ready to be sent: the very same pixels, without metadata."""

    content: bytes
    kind: PictureFormat
    thumbnail: Thumbnail


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It was not made."""

    code: RefusalCode
    message: str


Answer = Thumbnail | CleanPicture | PreparedPicture | Refused


def write_message(pipe: IO[bytes], message: Task | Answer) -> None:
    """Send a message; raise OSError if nobody reads."""
    body = msgspec.msgpack.encode(message)
    pipe.write(len(body).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(body)
    pipe.flush()


def read_message(pipe: IO[bytes], most: int) -> bytes | None:
    """Return the next message's bytes; None at the end, or if it claims to have more than `most`."""
    length = int.from_bytes(pipe.read(_LENGTH_BYTES), "big")
    if not 0 < length <= most:
        return None
    body = pipe.read(length)
    return body if len(body) == length else None

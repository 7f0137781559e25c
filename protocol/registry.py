"""Which number means which message: one table a language, each number used once."""

from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

import msgspec

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.framing import OPTIONAL_KIND, Frame, encode_frame
from protocol.identity import from_builtin, to_builtin


class Message(msgspec.Struct, frozen=True, array_like=True):
    """A value that travels: a MessagePack array of its fields in order; new fields come last, with a default."""

    ADDED: ClassVar[int] = 0
    """How many of its last fields are left out while they have their default: what needs none of them keeps the bytes
    that it had before they were added."""


M = TypeVar("M", bound=Message)
_encode_value = msgspec.msgpack.Encoder(enc_hook=to_builtin).encode


def _encode(message: Message) -> bytes:
    if not message.ADDED:
        return _encode_value(message)
    values = list(msgspec.structs.astuple(message))
    for default in message.__struct_defaults__[: -message.ADDED - 1 : -1]:
        if values[-1] != default:
            break
        values.pop()
    return _encode_value(values)


class Registry:
    """One language of the wire: the messages two kinds of program say to each other.

    Numbers lie in `first..last`; the same number with the top bit set marks a kind that an old reader may skip.
    """

    def __init__(self, name: str, first: int, last: int) -> None:
        self.name = name
        self.first = first
        self.last = last
        self._number_of: dict[type[Message], int] = {}
        self._decoder_of: dict[int, msgspec.msgpack.Decoder[Message]] = {}
        self.reserved: dict[int, str] = {}
        """Numbers kept free, and what for."""

    def register(self, number: int) -> Callable[[type[M]], type[M]]:
        """Class decorator: give a message its number; raise LocalProtocolError if it is taken or out of range."""

        def remember(message_type: type[M]) -> type[M]:
            if not self.first <= number & ~OPTIONAL_KIND <= self.last:
                raise LocalProtocolError(f"{number:#06x} is outside the range of {self.name}")
            if number in self._decoder_of:
                raise LocalProtocolError(f"{number:#06x} is used twice in {self.name}")
            if number in self.reserved:
                raise LocalProtocolError(f"{number:#06x} is kept for {self.reserved[number]} in {self.name}")
            self._number_of[message_type] = number
            self._decoder_of[number] = msgspec.msgpack.Decoder(message_type, dec_hook=from_builtin)
            return message_type

        return remember

    def reserve(self, numbers: range, purpose: str) -> None:
        """Keep numbers free for something that is still to be built; raise LocalProtocolError if one is taken."""
        for number in numbers:
            if number in self._decoder_of or number in self.reserved:
                raise LocalProtocolError(f"{number:#06x} is used twice in {self.name}")
            self.reserved[number] = purpose

    def __iter__(self) -> Iterator[tuple[int, type[Message]]]:
        """Walk (number, message class) in order of the numbers."""
        return iter(sorted((number, cls) for cls, number in self._number_of.items()))

    def number_of(self, message_type: type[Message]) -> int:
        """Return the number of a class; raise LocalProtocolError if it does not belong to this language."""
        try:
            return self._number_of[message_type]
        except KeyError:
            raise LocalProtocolError(f"{message_type.__name__} is not a message of {self.name}") from None

    def encode_body(self, message: Message) -> bytes:
        """Return the MessagePack bytes of a message, without number or length."""
        self.number_of(type(message))
        return _encode(message)

    def encode(self, message: Message) -> bytes:
        """Return a whole frame."""
        return encode_frame(self.number_of(type(message)), _encode(message))

    def decode(self, frame: Frame) -> Message | None:
        """Return the message in a frame, or None for an unknown kind that may be ignored.

        Every malformed, oversized, mistyped or unknown required content raises RemoteProtocolError.
        """
        return self.decode_body(frame.kind, frame.body)

    def decode_body(self, number: int, body: bytes) -> Message | None:
        """Like `decode`, for a body whose kind travels elsewhere (an entry's)."""
        decoder = self._decoder_of.get(number)
        if decoder is None:
            if number & OPTIONAL_KIND:
                return None
            raise RemoteProtocolError(f"unknown kind {number:#06x} in {self.name}")
        try:
            return decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
            # The decoder's text may quote what came; only its kind is told.
            raise RemoteProtocolError(f"malformed {number:#06x} in {self.name}: {type(error).__name__}") from error

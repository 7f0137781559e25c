"""The Opus codec (RFC 6716): a thin binding on libopus, mono at 48 kHz.

Our own instead of a package's: it is small, calls need what the packages leave out (loss concealment, errors in words),
and the library can be exchanged. The one in the wheel of opuslib-next-bundled comes first, then the system's.
"""

import contextlib
import ctypes
import ctypes.util
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from peer.errors import Refusal, RefusalCode

RATE = 48_000
"""Samples a second, everywhere in this program."""
FRAME = 960
"""Samples of a packet that we write: 20 ms."""
LONGEST_FRAME = 5_760
"""Samples of the longest packet there may be: 120 ms."""
_PACKET_BYTES = 1_500
"""More than a frame of 20 ms ever takes (1,275)."""

_APPLICATION_VOIP = 2048
_SET_BITRATE, _SET_VBR, _SET_COMPLEXITY, _GET_LOOKAHEAD, _RESET_STATE, _SET_GAIN = 4002, 4006, 4010, 4027, 4028, 4034
_SET_INBAND_FEC, _SET_LOSS_PERCENT = 4012, 4014
_SET_MAX_BANDWIDTH, _WIDE_BAND, _FULL_BAND = 4004, 1103, 1105


class OpusError(Exception):
    """libopus did not do it."""


class Encoder:
    """Turns frames into packets."""

    def __init__(self, bitrate: int, *, variable: bool, complexity: int = 9) -> None:
        """`bitrate` is in bits a second. Calls must not be `variable`: the sizes of packets would tell the words."""
        self._library = library()
        self._state = _made(self._library.opus_encoder_create, 1, _APPLICATION_VOIP)
        self._room = ctypes.create_string_buffer(_PACKET_BYTES)
        for request, value in ((_SET_BITRATE, bitrate), (_SET_VBR, int(variable)), (_SET_COMPLEXITY, complexity)):
            _check(self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value)))
        delay = ctypes.c_int()
        _check(self._library.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, ctypes.byref(delay)))
        self.delay = delay.value
        """Samples by which what is decoded comes late."""

    def set_bitrate(self, bitrate: int) -> None:
        """Change the bits a second, from the next frame on."""
        _check(self._library.opus_encoder_ctl(self._state, _SET_BITRATE, ctypes.c_int(bitrate)))

    def limit_band(self, *, is_wide_only: bool) -> None:
        """Leave out what is above 8 kHz, for the sake of the voice below; or leave nothing out."""
        band = _WIDE_BAND if is_wide_only else _FULL_BAND
        _check(self._library.opus_encoder_ctl(self._state, _SET_MAX_BANDWIDTH, ctypes.c_int(band)))

    def protect_against_loss(self, percent: int) -> None:
        """Let each packet hold the one before in a rough form as well, as fits so much loss; 0: no more."""
        _check(self._library.opus_encoder_ctl(self._state, _SET_INBAND_FEC, ctypes.c_int(int(percent > 0))))
        _check(self._library.opus_encoder_ctl(self._state, _SET_LOSS_PERCENT, ctypes.c_int(percent)))

    def encode(self, frame: bytes) -> bytes:
        """Return the packet of `FRAME` samples (16 bits each, of this machine's byte order)."""
        assert len(frame) == 2 * FRAME
        size = _check(self._library.opus_encode(self._state, frame, FRAME, self._room, _PACKET_BYTES))
        return self._room.raw[:size]

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            self._library.opus_encoder_destroy(self._state)


class Decoder:
    """Turns packets into sound; a stereo packet becomes mono."""

    def __init__(self, gain: int = 0) -> None:
        """`gain` changes the volume, in 1/256 dB."""
        self._library = library()
        self._state = _made(self._library.opus_decoder_create, 1)
        self._room = ctypes.create_string_buffer(2 * LONGEST_FRAME)
        _check(self._library.opus_decoder_ctl(self._state, _SET_GAIN, ctypes.c_int(gain)))

    def decode(self, packet: bytes) -> bytes:
        """Return the samples of a packet; raise OpusError if it is damaged."""
        samples = _check(
            self._library.opus_decode(self._state, packet, len(packet), self._room, LONGEST_FRAME, ctypes.c_int(0))
        )
        return self._room.raw[: 2 * samples]

    def conceal(self, samples: int) -> bytes:
        """Return so many samples (a multiple of 120) that go on from what was decoded last, fading away in time."""
        return self._fill(None, samples, recover=False)

    def recover(self, packet: bytes) -> bytes:
        """Return the frame before a packet as far as the packet tells of it; else what `conceal` would."""
        return self._fill(packet, FRAME, recover=True)

    def _fill(self, packet: bytes | None, samples: int, *, recover: bool) -> bytes:
        size = len(packet) if packet else 0
        done = _check(self._library.opus_decode(self._state, packet, size, self._room, samples, ctypes.c_int(recover)))
        return self._room.raw[: 2 * done]

    def reset(self) -> None:
        """Forget what came before: the next packet comes from elsewhere."""
        _check(self._library.opus_decoder_ctl(self._state, _RESET_STATE))

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            self._library.opus_decoder_destroy(self._state)


def samples_of_packet(packet: bytes) -> int:
    """Return how many samples a packet becomes (RFC 6716, section 3.1); 0 if it cannot be one."""
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:
        frame = (480, 960)[configuration & 1]
    else:
        frame = (120, 240, 480, 960)[configuration & 3]
    frames = 1 if code == 0 else 2
    if code == 3:
        frames = packet[1] & 63 if len(packet) > 1 else 0
    samples = frame * frames
    return samples if samples <= LONGEST_FRAME else 0


def holds_frame_before(packet: bytes) -> bool:
    """Tell whether a packet with one mono frame of 20 ms tells of the frame before, too (RFC 6716, section 4.2.3)."""
    is_celt_alone = packet[0] & 0x80
    return not is_celt_alone and len(packet) > 1 and bool(packet[1] & 0x40)


@cache
def library() -> ctypes.CDLL:
    """Return libopus; raise Refusal `audio_failed` if there is none."""
    for path in _candidates():
        with contextlib.suppress(OSError, AttributeError):
            return _declared(ctypes.CDLL(path))
    raise Refusal(
        RefusalCode.AUDIO_FAILED,
        "The Opus library is missing. Install opuslib-next-bundled, or libopus of your system.",
    )


def _candidates() -> Iterator[str]:
    found = importlib.util.find_spec("opuslib_next")  # only its library is wanted; nothing of it is imported
    for folder in (found and found.submodule_search_locations) or ():
        native = Path(folder) / "_native"
        yield from (str(native / name) for name in ("libopus.so", "libopus.dylib", "opus.dll"))
    yield from ("libopus.so.0", "libopus.0.dylib", "opus.dll", "libopus-0.dll")
    yield from filter(None, [ctypes.util.find_library("opus")])


def _declared(opus: ctypes.CDLL) -> ctypes.CDLL:
    integer, pointer, text = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
    opus.opus_encoder_create.argtypes = [ctypes.c_int32, integer, integer, ctypes.POINTER(integer)]
    opus.opus_decoder_create.argtypes = [ctypes.c_int32, integer, ctypes.POINTER(integer)]
    opus.opus_encode.argtypes = [pointer, text, integer, text, ctypes.c_int32]
    opus.opus_decode.argtypes = [pointer, text, ctypes.c_int32, pointer, integer, integer]
    for function in (opus.opus_encoder_create, opus.opus_decoder_create):
        function.restype = pointer
    for function in (opus.opus_encoder_ctl, opus.opus_decoder_ctl):
        # Variadic: only the fixed part is declared, or Apple's arm64 passes the rest in the wrong place.
        function.argtypes = [pointer, integer]
    for function in (opus.opus_encoder_destroy, opus.opus_decoder_destroy):
        function.argtypes, function.restype = [pointer], None
    opus.opus_strerror.argtypes, opus.opus_strerror.restype = [integer], text
    return opus


def _made(create: "ctypes._NamedFuncPointer", *settings: int) -> int:
    error = ctypes.c_int()
    state: int | None = create(RATE, *settings, ctypes.byref(error))
    _check(error.value)
    if not state:
        raise OpusError("out of memory")
    return state


def _check(result: int) -> int:
    if result < 0:
        raise OpusError(library().opus_strerror(result).decode("ascii", "replace"))
    return result

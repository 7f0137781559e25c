"""Microphones and speakers through PyAudio: 48 kHz, mono, 16 bits, handed over 10 ms at a time by a callback.

Used in the audio process only (`peer.audio.__main__`). A sound system may be missing, hang at any call, or vanish with
its device: every call has a deadline, and after one that passed (`AudioHangsError`) the process must end, because a
thread of it waits for ever. Whoever uses a stream notices by the frames that stay away that its device has gone.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeVar

from peer.audio.opus_codec import RATE
from peer.errors import Refusal, RefusalCode
from peer.limits import AUDIO_CALL_SECONDS, AUDIO_NAMES, AUDIO_SETTLES_SECONDS
from peer.views import AudioDevices

if TYPE_CHECKING:
    import pyaudio

BUFFER = 480
"""Samples handed over at a time: 10 ms. With 20 ms the delay doubles, and PulseAudio may deadlock."""
Result = TypeVar("Result")
Side = Literal["input", "output"]
_ONE_AT_A_TIME = threading.Lock()
"""PortAudio can be asked by one thread only; held for ever by one that hangs, and then nobody gets an answer."""
_CHANNELS = {"input": "maxInputChannels", "output": "maxOutputChannels"}


class AudioHangsError(Refusal):
    """The sound system does not answer: this process is of no further use for sound."""

    def __init__(self) -> None:
        super().__init__(
            RefusalCode.AUDIO_FAILED, "The sound system does not answer. Try again, or restart it or the computer."
        )


class Stream:
    """A running microphone or speaker."""

    def __init__(self, side: Side, device: str, on_buffer: Callable[[bytes | None, int], bytes | None]) -> None:
        """Open and start it; an empty `device` is the system's choice. Raises Refusal.

        `on_buffer` is called on a thread of PortAudio's with what was heard (None of a speaker) and the number of
        samples, and returns what is to be played (None for a microphone). It must be quick.
        """
        self._on_buffer = on_buffer
        self._audio, self._stream, self.stands_in = _within(lambda: self._open(side, device))
        """The last: whether it is the system's choice because `device` is not here."""

    def is_running(self) -> bool:
        """Tell whether it still does anything; a device that hangs counts as running."""
        return _within(self._stream.is_active)

    def close(self) -> None:
        """Stop it and give the device back. What still waits in a speaker is played first."""

        def close() -> None:
            try:
                self._stream.stop_stream()
                self._stream.close()
            finally:
                self._audio.terminate()

        _within(close)

    def _open(self, side: Side, device: str) -> "tuple[pyaudio.PyAudio, pyaudio.Stream, bool]":
        audio, go_on, sixteen_bits = _portaudio()
        try:
            index = _index(audio, side, device)
            stream = audio.open(
                rate=RATE,
                channels=1,
                format=sixteen_bits,
                input=side == "input",
                output=side == "output",
                input_device_index=index if side == "input" else None,
                output_device_index=index if side == "output" else None,
                frames_per_buffer=BUFFER,
                stream_callback=lambda heard, samples, *_: (self._on_buffer(heard, samples), go_on),
            )
        except (OSError, ValueError) as error:
            audio.terminate()
            name = "microphone" if side == "input" else "speaker"
            raise Refusal(
                RefusalCode.AUDIO_FAILED,
                f"The {name} cannot be opened ({error.args[-1] if error.args else 'no reason given'}). "
                "Perhaps another program has it, or it was unplugged.",
            ) from error
        except Refusal:
            audio.terminate()
            raise
        return audio, stream, bool(device) and index is None


def list_devices() -> AudioDevices:
    """Return what there is now; that it is nothing is normal."""

    def look() -> AudioDevices:
        audio, *_ = _portaudio()
        try:
            inputs, outputs = ([name for _, name in _devices(audio, side)] for side in ("input", "output"))
            return AudioDevices(tuple(inputs), tuple(outputs), _default(audio, "input"), _default(audio, "output"))
        finally:
            audio.terminate()

    return _within(look)


def settle() -> None:
    """Wait until no call into PortAudio is under way, and let none begin any more: this process is about to end.

    Who ends in the midst of one may leave the database locked that JACK keeps in shared memory: then no program of this
    user gets any sound until the computer is started anew. A sound system that hangs is not waited for long.
    """
    _ONE_AT_A_TIME.acquire(timeout=AUDIO_SETTLES_SECONDS)


def _portaudio() -> "tuple[pyaudio.PyAudio, int, int]":
    """Start PortAudio afresh: it sees what was plugged in since only then."""
    try:
        import pyaudio
    except ImportError as error:
        raise Refusal(
            RefusalCode.AUDIO_FAILED,
            "Sound needs PyAudio and the PortAudio library, which are not installed here: see “Sound” in README.md.",
        ) from error
    return pyaudio.PyAudio(), pyaudio.paContinue, pyaudio.paInt16


def _devices(audio: "pyaudio.PyAudio", side: Side) -> Iterator[tuple[int, str]]:
    """Name the devices of the system's preferred interface; the others show the same ones again."""
    try:
        host = audio.get_default_host_api_info()
    except OSError:
        return
    for number in range(min(int(host["deviceCount"]), AUDIO_NAMES)):
        about = audio.get_device_info_by_host_api_device_index(int(host["index"]), number)
        if int(about[_CHANNELS[side]]) > 0:
            yield int(about["index"]), str(about["name"])


def _default(audio: "pyaudio.PyAudio", side: Side) -> str:
    try:
        about = audio.get_default_input_device_info() if side == "input" else audio.get_default_output_device_info()
    except OSError:
        return ""
    return str(about["name"])


def _index(audio: "pyaudio.PyAudio", side: Side, device: str) -> int | None:
    """Find a device by its name: numbers change with what is plugged in. None lets the system choose."""
    found = {name: index for index, name in _devices(audio, side)}
    if device in found:
        return found[device]
    if found and _default(audio, side):
        return None  # the one that was chosen is not here today
    raise no_device(side)


def no_device(side: Side) -> Refusal:
    """Say that there is none: nothing is broken by that."""
    if side == "input":
        return Refusal(RefusalCode.NO_MICROPHONE, "There is no microphone. Plug one in, and try again.")
    return Refusal(RefusalCode.NO_SPEAKER, "There is no speaker and no headset. Plug one in, and try again.")


def _within(call: Callable[[], Result]) -> Result:
    """Do what may hang on a thread that can be left behind; raise AudioHangsError if it takes too long."""
    done: list[Result] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with _ONE_AT_A_TIME:
                done.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            failed.append(error)

    thread = threading.Thread(target=work, name="device", daemon=True)
    thread.start()
    thread.join(AUDIO_CALL_SECONDS)
    if failed:
        raise failed[0]
    if not done:
        raise AudioHangsError
    return done[0]

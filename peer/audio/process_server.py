"""What the processes that touch sound devices have in common: lines of JSON on their pipes, one thing after the other.

A sound system may hang for ever or crash, and sound stutters when it shares its interpreter with a window, so each is a
process of its own. It ends when the node hangs up, when it is not needed for a while, and after a device that hangs.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Generic, NoReturn, TypeVar

import msgspec

from peer.audio.devices import AudioHangsError, settle
from peer.audio.process_messages import Failed
from peer.errors import Refusal, RefusalCode
from peer.limits import AUDIO_IDLE_SECONDS, AUDIO_LINE_BYTES

Command = TypeVar("Command")
Step = Callable[[], None] | None


class ProcessServer(ABC, Generic[Command]):
    """Does on the main thread what the node asks, and what follows from a device's end."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO, decoder: "msgspec.json.Decoder[Command]") -> None:
        self._commands, self._answers, self._decoder = commands, answers, decoder
        self._lock = threading.Lock()
        """One line at a time."""
        self._steps: queue.SimpleQueue[Step] = queue.SimpleQueue()

    def run(self) -> None:
        """Serve until the node hangs up, or wants nothing any more. Raises AudioHangsError."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        with contextlib.suppress(queue.Empty):
            while (step := self._steps.get(timeout=None if self.is_busy() else AUDIO_IDLE_SECONDS)) is not None:
                step()
        self.end()

    @abstractmethod
    def is_busy(self) -> bool:
        """Tell whether it is needed, though nothing is asked."""

    @abstractmethod
    def do(self, command: Command) -> None:
        """Do what was asked, and `say` the answer. Refusal and OSError become the answer `Failed`."""

    @abstractmethod
    def end(self) -> None:
        """Drop what is under way."""

    def say(self, what: msgspec.Struct) -> None:
        """Tell the node. On any thread."""
        with self._lock, contextlib.suppress(OSError):  # a node that has gone is told nothing more
            self._answers.write(msgspec.json.encode(what) + b"\n")
            self._answers.flush()

    def post(self, step: Callable[[], None]) -> None:
        """Let something be done on the main thread. On any thread."""
        self._steps.put(step)

    def _read(self) -> None:
        while line := self._commands.readline(AUDIO_LINE_BYTES):
            self._steps.put(partial(self._answer, self._decoder.decode(line)))
        self._steps.put(None)

    def _answer(self, command: Command) -> None:
        try:
            self.do(command)
        except Refusal as refusal:
            self.say(Failed(refusal.code, refusal.message))
            if isinstance(refusal, AudioHangsError):
                raise
        except OSError as error:
            self.say(Failed(RefusalCode.DISK_FULL, f"The recording cannot be stored ({error.strerror})."))


def serve(server: Callable[[BinaryIO, BinaryIO], ProcessServer[Command]]) -> NoReturn:
    """Serve on standard input and output."""
    logging.basicConfig(format="%(name)s: %(message)s")
    answers = os.fdopen(os.dup(1), "wb")
    # ALSA and JACK write pages of complaints about normal states to the file descriptors; Python's own are kept.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.setswitchinterval(0.001)  # a callback of 10 ms must not wait 5 for its turn
    with contextlib.suppress(AudioHangsError, KeyboardInterrupt):
        server(sys.stdin.buffer, answers).run()
    answers.flush()
    settle()
    os._exit(0)  # threads that hang in the sound system are waited for by nobody

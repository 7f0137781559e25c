"""The node's side of a process that touches sound devices: started when needed, asked with a deadline, ended when it
does not answer.
"""

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, Generic, TypeVar, cast

import msgspec

from peer.audio.process_messages import Failed
from peer.errors import Refusal, RefusalCode
from peer.limits import AUDIO_ANSWER_SECONDS, AUDIO_LINE_BYTES, CLOSING_SECONDS

log = logging.getLogger(__name__)
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows: no black box beside the window."""
Command = TypeVar("Command")
Answer = TypeVar("Answer")
Note = TypeVar("Note")


class AudioProcess(Generic[Command, Answer, Note]):
    """Asks the process one thing at a time. On the network thread."""

    def __init__(
        self, module: str, answers: Any, notes: Any, on_note: Callable[[Note], None], on_end: Callable[[], None]
    ) -> None:
        """`module` is run; `answers` and `notes` are the unions of what it says.

        `on_end` is called when the process has ended, whatever it was doing; the next question starts another.
        """
        self._module = module
        self._answers = answers
        self._decoder: msgspec.json.Decoder[Answer | Note] = msgspec.json.Decoder(answers | notes)
        self._on_note, self._on_end = on_note, on_end
        self._handed_over: tuple[int, ...] = ()
        self._asking = asyncio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._closing: asyncio.Event | None = None
        """Set when the process that is being closed has ended."""

    def hand_over(self, *descriptors: int) -> None:
        """Let the process that is started next have these open files, under the same numbers. Not on Windows."""
        self._handed_over = descriptors

    @property
    def is_running(self) -> bool:
        """Whether there is a process, as far as is known yet."""
        return self._child is not None

    def start(self) -> int:
        """Return the ID of the process, started if there is none; raise Refusal if it cannot be."""
        return (self._child or self._start()).pid

    async def ask(self, command: Command, *, restarts: bool = True) -> Answer:
        """Return the answer; raise Refusal for one that is no, or that does not come.

        Without `restarts` a process that has ended is not started again: what is asked makes no sense to a new one.
        """
        async with self._asking:
            answer = await self._exchange(self._child, command) if self._child is not None else None
            if restarts:
                # One that was just ending, idle or after a device that hung, did not hear it.
                answer = answer or await self._exchange(self._start(), command)
        if answer is None:
            raise _failed("broke down")
        if isinstance(answer, Failed):
            raise Refusal(answer.code, answer.message)
        return answer

    async def _exchange(self, child: "subprocess.Popen[bytes]", command: Command) -> Answer | None:
        """Return what a process answers; None if it ends without."""
        assert child.stdin is not None
        self._answer = asyncio.get_running_loop().create_future()
        try:
            child.stdin.write(msgspec.json.encode(command) + b"\n")
            async with asyncio.timeout(AUDIO_ANSWER_SECONDS):
                return await self._answer
        except TimeoutError as error:
            self._end(child)
            raise _failed("does not answer") from error
        except (OSError, ValueError):  # it ended, or its pipe was closed
            self._end(child)
            return None
        except asyncio.CancelledError:
            self._end(child)  # or its late answer would be taken for the next one
            raise
        finally:
            self._answer = None

    def kill(self) -> None:
        """End a process that hangs; told by `on_end`."""
        if self._child is not None:
            self._end(self._child)

    async def close(self) -> None:
        """End the process; what it records is dropped."""
        child = self._child
        if child is None:
            return
        assert child.stdin is not None
        self._closing = asyncio.Event()
        child.stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._closing.wait()
        finally:
            self._end(child)
            self._closing = None

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._closing is not None:
            raise _failed("is being closed")
        try:
            child = subprocess.Popen(  # noqa: S603 - a module of ours
                [sys.executable, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                # Ctrl+C in the window's terminal is not meant for it: it ends with the node.
                start_new_session=True,
                creationflags=_NO_WINDOW,
                pass_fds=self._handed_over,
            )
        except OSError as error:
            log.warning("the audio process cannot be started: %s", error)
            raise _failed("cannot be started") from error
        assert child.stdout is not None
        self._child = child
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop, child, child.stdout), name="audio", daemon=True).start()
        return child

    def _read(self, loop: asyncio.AbstractEventLoop, child: "subprocess.Popen[bytes]", lines: IO[bytes]) -> None:
        """Pass on what the process says. On a thread of its own: no other way of reading works on every system."""
        with contextlib.suppress(RuntimeError, OSError):  # the loop was closed
            with lines:
                rest = b""
                while chunk := lines.read(AUDIO_LINE_BYTES):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        loop.call_soon_threadsafe(self._take, child, line)
            loop.call_soon_threadsafe(self._ended, child)

    def _take(self, child: "subprocess.Popen[bytes]", line: bytes) -> None:
        if child is not self._child:
            return
        said = self._decoder.decode(line)
        if not isinstance(said, self._answers):
            self._on_note(cast("Note", said))
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(said)

    def _ended(self, child: "subprocess.Popen[bytes]") -> None:
        if child is not self._child:
            return
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(OSError("it ended"))
        elif self._closing is None:
            log.info("the audio process ended by itself")
            self._end(child)
        if self._closing is not None:
            self._closing.set()

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        """Kill it: it hangs, or is dead already."""
        if child is not self._child:
            return
        child.kill()
        child.wait()
        assert child.stdin is not None
        child.stdin.close()
        self._child = None
        self._on_end()


def _failed(how: str) -> Refusal:
    return Refusal(RefusalCode.AUDIO_FAILED, f"The sound system {how}. Try again, or restart the computer.")

"""Has pictures decoded by another process: what a hostile one breaks is that process, and costs one sentence."""

import contextlib
import os
import subprocess
import sys
import threading

import msgspec

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.pictures.tasks import Answer, Refused, Task, read_message, write_message


class PictureWorker:
    """Starts the process when there is work, and another one in the place of one that failed.

    `run` and `rest` are called on one thread; `close` on any.
    """

    def __init__(self, seconds: float = limits.PICTURE_SECONDS) -> None:
        """`seconds` is how long one task may take, from the moment its process runs."""
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._starting = threading.Lock()

    @property
    def process_id(self) -> int | None:
        """The process that runs now, if one does."""
        return self._process.pid if self._process is not None else None

    def run(self, task: Task) -> Answer:
        """Return what was made; raise Refusal if nothing was, also when the process did not survive it."""
        process = self._ready_process()
        over = threading.Event()

        def end() -> None:
            over.set()
            process.kill()

        alarm = threading.Timer(self._seconds, end)
        alarm.start()
        try:
            answer = _ask(process, task)
        finally:
            alarm.cancel()
            # Now it has rung or never will.
            alarm.join()
        if answer is None or over.is_set():
            self.rest()
        if answer is None:
            raise self._failed(task.name, took_long=over.is_set())
        if isinstance(answer, Refused):
            raise Refusal(answer.code, answer.message)
        return answer

    def rest(self) -> None:
        """End the process; the next task gets a new one."""
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    def close(self) -> None:
        """End for good, also in the middle of a task."""
        with self._starting:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()

    def _ready_process(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.rest()
        with self._starting:
            if self._is_closed:
                raise Refusal(RefusalCode.NOT_SIGNED_IN, "Sign in first.")
            if self._process is None:
                try:
                    self._process = _start()
                except OSError as error:
                    raise Refusal(
                        RefusalCode.REFUSED, f"Pictures cannot be decoded now: {error.strerror}. Try again later."
                    ) from error
            return self._process

    def _failed(self, name: str, *, took_long: bool) -> Refusal:
        if took_long:
            return Refusal(RefusalCode.TOO_LARGE, f"“{name}” takes more than {self._seconds:.0f} s to decode.")
        return Refusal(RefusalCode.DAMAGED_PICTURE, f"“{name}” cannot be shown: decoding it fails.")


def _start() -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "HAIL_PASSWORD"}
    return subprocess.Popen(
        [sys.executable, "-m", "peer.pictures.worker_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What a broken picture makes a library say helps nobody.
        stderr=subprocess.DEVNULL,
        env=environment,
        # Ctrl+C in the terminal is not meant for it: it ends when its pipe does.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _ask(process: subprocess.Popen[bytes], task: Task) -> Answer | None:
    """Return the answer; None if the process is gone or talks nonsense."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        write_message(process.stdin, task)
        body = read_message(process.stdout, limits.PICTURE_ANSWER_BYTES)
        return None if body is None else msgspec.msgpack.decode(body, type=Answer)
    except (OSError, msgspec.MsgspecError):
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not written yet has nobody to go to
                pipe.close()

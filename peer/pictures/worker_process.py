"""The process in which pictures are decoded: `python -m peer.pictures.worker_process`, started by `picture_worker`.

A decoder that is tricked by a picture finds little here: no file can be opened and none written, memory is bounded,
and nothing of the program is within reach but two pipes.
"""

import contextlib
import os
import sys
from typing import IO

import msgspec

from peer import limits
from peer.errors import Refusal
from peer.pictures import decoding
from peer.pictures.tasks import Answer, Job, Refused, Task, read_message, write_message

_NICENESS = 5
"""A picture waits for a voice, not the other way round."""


def main() -> int:
    """Answer tasks until the pipe is closed."""
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    decoding.warm_up()
    _shut_in()
    _serve(tasks, answers)
    return 0


def _serve(tasks: IO[bytes], answers: IO[bytes]) -> None:
    while (body := read_message(tasks, limits.PICTURE_TASK_BYTES)) is not None:
        task = msgspec.msgpack.decode(body, type=Task)
        del body
        try:
            answer = _answer(task)
        except Refusal as refusal:
            answer = Refused(refusal.code, refusal.message)
        write_message(answers, answer)


def _answer(task: Task) -> Answer:
    if task.job is Job.THUMBNAIL:
        return decoding.make_thumbnail(task.content, task.name)
    if task.job is Job.PREPARE:
        return decoding.prepare(task.content, task.name)
    return decoding.cleaned(task.content, task.name, task.longest_side)


def _shut_in() -> None:
    """Give up what decoding does not need. Windows has no such limits."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(_NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, limits.PICTURE_WORKER_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS does not take every limit
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    sys.exit(main())

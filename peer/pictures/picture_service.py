"""Makes thumbnails and cleaned copies of pictures, one after the other, away from the network's loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.pictures.formats import HEAD_BYTES, need_picture
from peer.pictures.picture_cache import PictureCache
from peer.pictures.picture_worker import PictureWorker
from peer.pictures.tasks import Answer, CleanPicture, Job, PreparedPicture, Task, Thumbnail

Made = TypeVar("Made", bound=Answer)
Result = TypeVar("Result")


class Pictures:
    """Async; every method raises Refusal: `unsupported_picture`, `damaged_picture`, `too_large`, `too_many`.

    Cancelling a question that waits takes it out of the queue.
    """

    def __init__(self, thread: Executor, cache_folder: Path, worker: PictureWorker | None = None) -> None:
        """`thread` does one thing at a time; it is shut down by `close`."""
        self._thread = thread
        self._worker = worker or PictureWorker()
        self._cache = PictureCache(cache_folder)
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def thumbnail(self, path: Path) -> Thumbnail:
        """Return a small JPEG for the message, and the size of the picture as it is seen."""
        return await self._run(lambda: self._make(Thumbnail, Job.THUMBNAIL, path))

    async def prepare(self, path: Path) -> PreparedPicture:
        """Return what to send of a picture of our own: its pixels untouched, without metadata; and its thumbnail."""
        return await self._run(lambda: self._make(PreparedPicture, Job.PREPARE, path))

    async def shown(self, path: Path, longest_side: int, key: str = "", name: str = "") -> CleanPicture:
        """Return a copy that may be shown, about `longest_side` px or more where the picture has them.

        With a `key` (letters and digits that stand for this content) it is kept for the next time. `name` is what the
        picture is called in sentences, the file's own if left out.
        """
        side = next((each for each in limits.PICTURE_SIDES if each >= longest_side), limits.PICTURE_SIDES[-1])

        def find_or_make() -> CleanPicture:
            kept = self._cache.find(key, side) if key else None
            if kept is None:
                kept = self._make(CleanPicture, Job.CLEAN, path, side, name)
                if key:
                    self._cache.keep(key, side, kept)
            return kept

        return await self._run(find_or_make)

    async def shown_thumbnail(self, jpeg: bytes) -> CleanPicture:
        """Return a copy of somebody's thumbnail that may be shown; those of strangers are pictures like any other."""
        task = Task(Job.CLEAN, "thumbnail", jpeg, limits.THUMBNAIL_SIDE)
        return await self._run(lambda: self._ask(CleanPicture, task))

    async def forget(self, key: str) -> None:
        """Remove the kept copies of a picture that was deleted."""
        await self._run(lambda: self._cache.forget(key))

    def close(self) -> None:
        """End the process at once; whoever still waits is refused."""
        self._is_closed = True
        if self._idle is not None:
            self._idle.cancel()
        self._worker.close()
        self._thread.submit(self._worker.rest)
        self._thread.shutdown(wait=False)

    async def _run(self, job: Callable[[], Result]) -> Result:
        if self._is_closed:
            raise Refusal(RefusalCode.NOT_SIGNED_IN, "Sign in first.")
        if self._waiting >= limits.PICTURES_WAITING:
            raise Refusal(RefusalCode.TOO_MANY, "Too many pictures are waiting to be decoded. Try again in a moment.")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, job)
        finally:
            self._waiting -= 1
            if not self._is_closed:
                self._rest_later(loop)

    def _rest_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(limits.PICTURE_WORKER_IDLE_SECONDS, self._thread.submit, self._worker.rest)

    # --- on the pictures' thread ---------------------------------------------------------------

    def _make(self, wanted: type[Made], job: Job, path: Path, longest_side: int = 0, name: str = "") -> Made:
        name = name or path.name
        return self._ask(wanted, Task(job, name, _read(path, name), longest_side))

    def _ask(self, wanted: type[Made], task: Task) -> Made:
        answer = self._worker.run(task)
        if not isinstance(answer, wanted):
            # Only a process that was taken over by a picture answers something else.
            self._worker.rest()
            raise Refusal(RefusalCode.DAMAGED_PICTURE, f"“{task.name}” cannot be shown: decoding it fails.")
        return answer


def _read(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            # What is no picture is refused before it wakes anybody.
            need_picture(head, name)
            content = head + file.read(limits.PICTURE_FILE_BYTES + 1 - len(head))
    except OSError as error:
        raise Refusal(RefusalCode.REFUSED, f"“{name}” cannot be read: {error.strerror}.") from error
    if len(content) > limits.PICTURE_FILE_BYTES:
        most = limits.PICTURE_FILE_BYTES // 2**20
        raise Refusal(RefusalCode.TOO_LARGE, f"“{name}” is larger than {most} MB. Send and save it as a file.")
    return content

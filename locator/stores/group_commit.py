"""Changes that wait together are written together: one commit, or one round trip, for all of them."""

import asyncio
from collections.abc import Awaitable, Callable

from locator.stores.interface import Account, Change


class GroupCommit:
    """Gathers changes while the batch before them is being written."""

    def __init__(self, write: Callable[[list[Change]], Awaitable[list[Account | None]]]) -> None:
        """`write` makes a batch, in order; what it raises, if none of it was made, is raised to all who wait."""
        self._write = write
        self._waiting: list[tuple[Change, asyncio.Future[Account | None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def make(self, change: Change) -> Account | None:
        """Make a change with all others that wait now; see `Store.make`."""
        done: asyncio.Future[Account | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_what_waits(), name="accounts writer")
        return await done

    async def finish(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            await self._writer

    async def _write_what_waits(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                made = await self._write([change for change, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), account in zip(batch, made, strict=True):
                if not done.done():
                    done.set_result(account)

"""A member's computer in a simulation: the real node on a disk of its own, which can be killed, restored and skewed."""

import asyncio
import contextlib
import logging
import random
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.events import Event, MessageArrived, MessageWritten
from peer.node import PeerNode
from peer.storage import messages
from peer.storage.messages import MessageRow
from peer.surroundings import Surroundings
from peer.views import ConversationId
from protocol.identity import EntryHash, EntryId, FeedId, Realm
from protocol.signatures import SigningKey
from tests.harness.virtual_time import Clock, InlineExecutor
from tests.simulate.plain_wire import PlainNetwork
from tests.simulate.process import Process, SimulatedThread

Result = TypeVar("Result")
PASSWORD = "correct horse"
COMMIT_SECONDS, READ_SECONDS = 0.008, 0.002
"""The longest that a commit and a read take."""


class DiedError(Exception):
    """The process that was asked was killed before it answered."""


class Machine:
    """A computer, on or off, with one member's profile."""

    def __init__(self, name: str, host: str, folder: Path, network: PlainNetwork, link: str, seed: str) -> None:
        """`link` is the locator's."""
        self.name = name
        self.host = host
        self.folder = folder
        self.network = network
        self.is_hostile = False
        self.clock_error = timedelta(0)
        self.holds: set[EntryId] = set()
        """The messages that are in its database, as far as it told."""
        self.lives = 0
        self._link = link
        self._seed = seed
        self._chance = random.Random(f"{seed} {name}")
        self._clock: Clock
        self._node: PeerNode
        self._process: Process | None = None
        self._commits_left: int | None = None
        """It is killed at the commit that comes after so many others."""
        self._backup: tuple[Path, set[EntryId]] | None = None

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.is_alive

    async def register(self) -> None:
        """Make an account, and stay on."""
        self._begin()
        await self.ask(
            lambda node: node.register(
                self._link, self.name, PASSWORD, self.name.title(), listen_port=7500, voice_port=7501
            )
        )

    async def start(self) -> None:
        """Switch it on; without the locator, too. Who is told that the clock is wrong puts it right."""
        self._begin()
        try:
            await self.ask(lambda node: node.log_in(self._link, self.name, PASSWORD))
        except DiedError:
            return
        except Refusal as refusal:
            self.kill(loudly=True)
            if refusal.code is not RefusalCode.OTHER_AUTHORITY or not self.clock_error:
                raise
            self.skew(timedelta(0))
            await self.start()

    def key(self) -> SigningKey:
        """Return the key of its device, which only its owner has."""
        session = self._node._session
        assert session is not None
        return session._vault.signing_key

    def realm(self) -> Realm:
        session = self._node._session
        assert session is not None
        return session.realm

    async def click(self) -> None:
        """Do what the screen asks a person for, where the node does not go on by itself."""
        view = await self.ask(lambda node: node.session())
        if view is None or view.must_sign_in:
            await self.stop()
        elif view.superseded:
            await self.ask(lambda node: node.resume())

    async def attend(self) -> None:
        """Be there as a person: have it on, and do what its screen asks for."""
        if self.is_on:
            await self.click()
        if not self.is_on:
            await self.start()

    async def stop(self) -> None:
        """Sign out as people do."""
        process = self._process
        if process is not None:
            with contextlib.suppress(DiedError):
                await self.ask(lambda node: node.close())
            self._end(process)

    def kill(self, *, loudly: bool) -> None:
        """End the process here and now; `loudly`: its system lives on and tells the others so."""
        process = self._process
        if process is not None:
            self._end(process)
            self.network.vanish(self.host, loudly=loudly)

    def kill_at_commit(self, commits_left: int) -> None:
        """Kill it just before or after a commit that is still to come."""
        self._commits_left = commits_left

    def skew(self, error: timedelta) -> None:
        """Let its wall clock be wrong."""
        self.clock_error = error
        if self.is_on:
            self._clock.error = error

    def back_up(self) -> None:
        """Keep a copy of the profile as it is on the disk, as a tool for that would."""
        place = self.folder.with_name(f"{self.folder.name} backup")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder, place)
        self._backup = place, set(self.holds)

    @property
    def has_backup(self) -> bool:
        return self._backup is not None

    def restore(self, *, unnoticed: bool) -> set[EntryId]:
        """Put the backup in the profile's place; return the messages that are gone from this disk.

        `unnoticed`: into the same files, as an image of the whole disk does; else as new files, which the node notices.
        """
        assert self._backup is not None
        assert not self.is_on
        place, held = self._backup
        if unnoticed:
            for old in [path for path in self.folder.rglob("*") if path.is_file()]:
                old.write_bytes(b"")
                if not (place / old.relative_to(self.folder)).exists():
                    old.unlink()
            for kept in [path for path in place.rglob("*") if path.is_file()]:
                target = self.folder / kept.relative_to(place)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(kept.read_bytes())
        else:
            shutil.rmtree(self.folder)
            shutil.copytree(place, self.folder)
        gone, self.holds = self.holds - held, set(held)
        return gone

    async def ask(self, question: Callable[[PeerNode], Awaitable[Result]]) -> Result:
        """Have the node do something; raise DiedError if it is killed meanwhile."""
        process = self._process
        if process is None or not process.is_alive:
            raise DiedError
        node = self._node

        async def answer() -> Result:
            return await question(node)

        task = process.start(answer())
        await asyncio.wait({task, process.died}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise DiedError
        return task.result()

    async def rows(self, group: ConversationId) -> list[MessageRow]:
        """Return all that is shown."""
        conversation = self.conversation(group)
        if conversation is None:
            return []
        session, rows = self._node._session, list[MessageRow]()
        assert session is not None
        while True:
            after = rows[-1].arrival if rows else 0
            found = await self.ask(
                lambda _, after=after: session._database.read(
                    lambda c: messages.messages_after_arrival(c, conversation.kept.row, after, 1000)
                )
            )
            rows += found
            if len(found) < 1000:
                return rows

    async def hashes(self, group: ConversationId, feed: FeedId, numbers: list[int]) -> dict[int, EntryHash]:
        """Return the hashes that are held at some numbers of a feed."""
        conversation, session = self.conversation(group), self._node._session
        if conversation is None or session is None or feed not in conversation.feeds:
            return {}
        return await self.ask(lambda _: session.conversations.hashes(conversation.feeds[feed], numbers))

    async def content(self) -> list[bytes]:
        """Return all that its disk holds of what was said: bodies that count, those that fell out, texts as shown."""
        session = self._node._session
        assert session is not None
        sql = (
            "SELECT body FROM entry WHERE body IS NOT NULL UNION ALL SELECT body FROM orphan WHERE body IS NOT NULL"
            " UNION ALL SELECT CAST(text AS BLOB) FROM message"
        )
        return await self.ask(lambda _: session._database.read(lambda c: [row[0] for row in c.execute(sql)]))

    def conversation(self, group: ConversationId) -> Conversation | None:
        """Return the group as the node has it in memory."""
        session = self._node._session
        return session.conversations.get(group) if self.is_on and session is not None else None

    def links(self) -> int:
        session = self._node._session
        return len(session._book.links) if self.is_on and session is not None else 0

    # --- inside ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        assert not self.is_on
        self.lives += 1
        self._commits_left = None
        self._process = Process(self.name)
        self._clock = Clock(asyncio.get_running_loop(), self.clock_error)
        surroundings = Surroundings(
            wire=self.network.wire(self.host),
            now=self._clock,
            chance=random.Random(f"{self._seed} {self.name} {self.lives}"),
            worker=self._thread,
            downloads=lambda: self.folder / "downloads",
            abandonable_worker=lambda _: InlineExecutor(),
        )
        self._node = PeerNode(self.folder, surroundings)
        self._node.subscribe(self._hear)

    def _end(self, process: Process) -> None:
        process.kill()
        self._process = None

    def _thread(self, name: str) -> Any:
        if name == "storage":
            return SimulatedThread(self._chance, COMMIT_SECONDS, self._around_commit)
        if name == "reading":
            return SimulatedThread(self._chance, READ_SECONDS, self._keep_connection)
        return InlineExecutor()

    def _around_commit(self, job: Callable[[], Any]) -> Any:
        if self._commits_left is not None:
            self._commits_left -= 1
            if self._commits_left < 0:
                is_done = self._chance.random() < 0.5
                if is_done:
                    self._keep_connection(job)
                # Soon, in nobody's name: this very job's process must not go on.
                self.kill(loudly=self._chance.random() < 0.5)
                raise DiedError
        return self._keep_connection(job)

    def _keep_connection(self, job: Callable[[], Any]) -> Any:
        result = job()
        if hasattr(result, "executescript") and self._process is not None:
            # The system closes a killed program's files; nothing is written by that.
            self._process.at_end.append(lambda: _close(result))
        return result

    def _hear(self, event: Event) -> None:
        if isinstance(event, MessageWritten | MessageArrived):
            self.holds.add(event.message.entry)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Exception:  # noqa: BLE001 - it was closed by the node itself
        logging.getLogger(__name__).debug("closed already")

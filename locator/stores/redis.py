"""The shared store: any number of locators as one, over one Redis or Valkey.

Every node holds all accounts, and who is present at the other nodes, in memory; look-ups never ask Redis. The channel
keeps memory fresh; whoever missed something reads everything again. Without Redis a node goes on with what it knows,
takes no change, and tries again until Redis is back. Then it puts the sessions it has.
"""

import asyncio
import contextlib
import logging
import time
from typing import NamedTuple

from locator import limits
from locator.stores.group_commit import GroupCommit
from locator.stores.interface import (
    Account,
    Change,
    CoursePresence,
    Lease,
    LeaseEnd,
    News,
    Shared,
    StoreFailedError,
    StoreOutOfTouchError,
)
from locator.stores.mirror import Mirror, MissedChangeError
from locator.stores.redis_accounts import make_changes
from locator.stores.redis_link import Beat, Listener, RedisLink
from protocol.identity import UserId

log = logging.getLogger(__name__)


class _Sign(NamedTuple):
    """A node's beat, and since when it stands there by our own clock (monotonic)."""

    beat: int
    since: float


class RedisStore:
    """The store of one locator of several (see `Store`)."""

    def __init__(self, link: RedisLink, node: str, place: str) -> None:
        """`place` is where this node's users reach it, HOST:PORT."""
        self._link = link
        self._node = node
        self._place = place
        self._mirror = Mirror(node)
        self._commits = GroupCommit(self._commit)
        self._is_current = False
        self._unwritten: dict[UserId, None] = {}
        """Whose lease or end of one is to be written, in the order in which they came up."""
        self._ends: dict[UserId, LeaseEnd] = {}
        self._on_course: list[CoursePresence] = []
        self._something_to_write = asyncio.Event()
        self._something_new = asyncio.Event()
        self._signs: dict[str, _Sign] = {}
        self._locators: tuple[str, ...] | None = None
        self._told_locators: tuple[str, ...] | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def is_current(self) -> bool:
        """Whether nothing can have happened elsewhere that memory does not know."""
        return self._is_current

    async def start(self) -> None:
        """Read everything, and follow from then on; raise StoreFailedError if that cannot be done now."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._following = asyncio.create_task(self._follow_always(ready), name="shared store")
        await ready

    def find(self, user: UserId) -> Account | None:
        """Return an account from memory."""
        return self._mirror.find(user)

    async def make(self, change: Change) -> Account | None:
        """Make a change, in one round trip with all others that wait now."""
        return await self._commits.make(change)

    def share(self, presence: Shared) -> None:
        """Have the other nodes told, as soon as Redis is there."""
        match presence:
            case Lease():
                self._mirror.claim(presence)
                self._unwritten[presence.user] = None
            case LeaseEnd():
                self._mirror.end_claim(presence)
                self._ends[presence.user] = presence
                self._unwritten[presence.user] = None
            case CoursePresence():
                self._on_course.append(presence)
                del self._on_course[: -limits.COURSE_MOVES_WAITING]
        self._something_to_write.set()

    async def news(self) -> News:
        """Wait until something changed elsewhere."""
        await self._something_new.wait()
        self._something_new.clear()
        news = self._mirror.take_news()
        if self._locators != self._told_locators:
            self._told_locators = self._locators
            news = news._replace(locators=self._locators)
        return news

    async def close(self) -> None:
        """Tell the others that this node goes, and hang up."""
        is_reached = self._is_current
        with contextlib.suppress(TimeoutError, StoreFailedError):
            async with asyncio.timeout(limits.REDIS_FAREWELL_SECONDS):
                await self._commits.finish()
                if self._following is not None:
                    self._following.cancel()
                    await asyncio.gather(self._following, return_exceptions=True)
                if is_reached:
                    await self._link.bury(self._node, None)
        await self._link.close()

    # --- changing ------------------------------------------------------------------------------

    async def _commit(self, changes: list[Change]) -> list[Account | None]:
        if not self._is_current:
            raise StoreOutOfTouchError("The shared accounts are out of reach.")
        try:
            return await make_changes(self._link, self._mirror, changes)
        finally:
            self._something_new.set()

    # --- following -----------------------------------------------------------------------------

    async def _follow_always(self, ready: asyncio.Future[None]) -> None:
        trouble = ""
        while True:
            try:
                async with self._link.listening() as listener:
                    await self._read_again()
                    if trouble:
                        log.warning("the shared accounts are back")
                    trouble = ""
                    if not ready.done():
                        ready.set_result(None)
                    await self._follow(listener)
            except MissedChangeError:
                log.info("a change of the shared accounts was missed; all are read again")
            except StoreFailedError as error:
                if not ready.done():
                    ready.set_exception(error)
                    return
                if str(error) != trouble:
                    log.warning("%s Nobody can log in anew until it is back; look-ups go on.", error)
                trouble = str(error)
            except Exception as error:
                if not ready.done():
                    ready.set_exception(error)
                    return
                log.exception("following the shared accounts failed; it is tried again")
                trouble = str(error)
            finally:
                self._is_current = False
            await asyncio.sleep(limits.REDIS_RETRY_SECONDS)

    async def _read_again(self) -> None:
        """Bring memory up to date, then say again what is present here."""
        await self._link.load_scripts()
        self._mirror.begin_reading()
        self._mirror.replace(await self._link.read_all())
        self._signs.clear()
        await self._beat_once()
        self._is_current = True
        self._unwritten |= dict.fromkeys(self._mirror.claims)
        self._something_to_write.set()
        self._something_new.set()

    async def _follow(self, listener: Listener) -> None:
        """Listen, beat and write until one of them fails."""
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("shared store listens", self._listen(listener)),
                ("shared store beats", self._beat()),
                ("shared store writes", self._write()),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, listener: Listener) -> None:
        while True:
            publication = await listener.next()
            try:
                self._mirror.hear(publication)
            except ValueError as error:
                sentence = "A change was published that this version of Hail cannot read. Run the same everywhere."
                raise StoreOutOfTouchError(sentence) from error
            if self._mirror.was_buried:
                raise MissedChangeError
            self._something_new.set()

    async def _beat(self) -> None:
        heard_of = self._mirror.number
        while True:
            await asyncio.sleep(limits.NODE_BEAT_SECONDS)
            before = self._mirror.number
            beat = await self._beat_once()
            # What was published before the last beat has come by now, on a connection that works.
            if beat.number < before or self._mirror.number < heard_of or not beat.was_known:
                raise MissedChangeError
            heard_of = beat.number

    async def _beat_once(self) -> Beat:
        """Say that this node lives, learn of the others, and bury those that stand still."""
        beat, now = await self._link.beat(self._place), time.monotonic()
        for node, (number, _) in beat.nodes.items():
            if node not in self._signs or self._signs[node].beat != number:
                self._signs[node] = _Sign(number, now)
            elif now - self._signs[node].since > limits.NODE_SILENT_SECONDS:
                log.warning("the locator at %s is lost; its users may log in here", beat.nodes[node][1])
                await self._link.bury(node, number)
        self._signs = {node: sign for node, sign in self._signs.items() if node in beat.nodes}
        self._locators = tuple(sorted({place for _, place in beat.nodes.values()}))
        if self._locators != self._told_locators:
            self._something_new.set()
        return beat

    # --- telling -------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Tell the others what is present here, whatever came up while the last was written in one go."""
        while True:
            await self._something_to_write.wait()
            self._something_to_write.clear()
            users, self._unwritten = self._unwritten, {}
            on_course, self._on_course = self._on_course, []
            try:
                await self._write_leases(list(users))
                await self._link.move_on_course(on_course)
            except BaseException:
                # Claims are written again after a failure anyway; the rest must not be forgotten.
                self._unwritten = users | self._unwritten
                self._on_course = on_course + self._on_course
                raise

    async def _write_leases(self, users: list[UserId]) -> None:
        claims = [self._mirror.claims[user] for user in users if user in self._mirror.claims]
        ends = [self._ends[user] for user in users if user in self._ends]
        await self._link.end_leases(ends)
        for end in ends:
            if self._ends.get(end.user) == end:
                del self._ends[end.user]
        answers = await self._link.put_leases([(claim.lease, claim.number is not None) for claim in claims])
        for claim, answer in zip(claims, answers, strict=True):
            if isinstance(answer, int):
                claim.number = answer
            else:
                self._mirror.claim_was_refused(claim.lease, answer.account, answer.lease)
                self._something_new.set()

"""One run of the simulation: a locator, a group, a time in which everything goes wrong, and what must hold after it."""

import asyncio
import itertools
import logging
import random
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from locator.accounts import PasswordPool
from locator.authority import Authority
from locator.connection import Connection
from locator.requests import Requests
from locator.server import LocatorServer
from locator.stores.memory_and_sqlite import MemoryAndSqlite
from peer.views import ConversationId
from protocol.consent import Consent
from protocol.locator_messages import ALPN
from tests.harness.virtual_time import Clock, InlineExecutor
from tests.simulate.agreement import differences, final_members, losses, remains
from tests.simulate.ledger import Ledger, Written
from tests.simulate.machine import Machine
from tests.simulate.plain_wire import PlainNetwork
from tests.simulate.process import Process, SimulatedLoop
from tests.simulate.seeded import PlainContext, seeded
from tests.simulate.trouble import Liars, Trouble

LOCATOR_HOST, LOCATOR_PORT = "10.255.0.1", 7400
TROUBLE_SECONDS = 180.0
"""How long things go wrong, in virtual time."""
HEALING_SECONDS = 900.0
"""How long everybody may take to come to the same end, once all is well again."""
SETTLING_SECONDS = 45.0
BETWEEN_CALM_SECONDS = 0.5
"""Each message is on its way alone, so that it can be said what it costs."""
CALM_SECONDS = 20.0
MOST_COPIES = 6
"""How often a member may send one entry, where nothing goes wrong."""
ALL_FRIENDS = 8
"""In groups up to this size all know each other; in larger ones each knows the first and a few more."""


class FailedError(Exception):
    """The run did not end as it must."""


@dataclass
class Outcome:
    """What came of one seed."""

    seed: int
    members: int
    failure: str = ""
    story: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    healed_after: float = 0.0
    copies_in_calm: int = 0
    frames_in_calm: float = 0.0
    """Messages that the busiest member sent for one entry, its own or another's."""
    copies_in_trouble: int = 0
    messages: int = 0
    transcript: str = ""
    seconds: float = 0.0

    def line(self) -> str:
        """Tell it in a line."""
        what = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        end = f"FAILED: {self.failure}" if self.failure else f"equal {self.healed_after:.0f} s later"
        return (
            f"seed {self.seed}: {self.members} members, {what}; {end}; copies {self.copies_in_calm} in calm, "
            f"{self.copies_in_trouble} in trouble; {self.frames_in_calm:.1f} messages of one member for an entry; "
            f"{self.messages:,} packets in {self.seconds:.1f} s; {self.transcript[:12]}"
        )


def run_seed(seed: int, members: int, trouble_seconds: float = TROUBLE_SECONDS, liars: Liars = Liars.ALL) -> Outcome:
    """Play one seed and return what came of it; afterwards this program has to end.

    What killed nodes left in memory is never tidied up: their last words would be run by that, in nobody's name.
    """
    outcome = Outcome(seed, members)
    began = time.perf_counter()
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hail-simulation-", dir=shm if shm.is_dir() else None))
    loop = SimulatedLoop()
    heard = _Heard(loop)
    logging.getLogger().addHandler(heard)
    try:
        with seeded(random.Random(f"secrets {seed}")):
            run = Run(seed, members, folder, outcome)
            try:
                loop.run_until_complete(run.play(trouble_seconds, liars))
            except FailedError as failure:
                outcome.failure = str(failure)
            except Exception as error:  # noqa: BLE001 - the seed is told, and the next one played
                outcome.failure = f"{type(error).__name__}: {error}"
                outcome.story += traceback.format_exception(error)
            if heard.errors and not outcome.failure:
                outcome.failure = "a node logged an error"
            outcome.story += heard.errors
            outcome.transcript = run.network.transcript
            outcome.messages = run.network.messages
            loop.run_until_complete(run.close())
    finally:
        logging.getLogger().removeHandler(heard)
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)
    outcome.seconds = time.perf_counter() - began
    return outcome


class _Heard(logging.Handler):
    """Keeps what nodes log as errors: none may happen, whatever goes wrong around them."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.errors: list[str] = []
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(f"[{self._loop.time():7.1f}] {self.format(record)}")


class Run:
    """The world of one seed."""

    def __init__(self, seed: int, members: int, folder: Path, outcome: Outcome) -> None:
        self.chance = random.Random(f"trouble {seed}")
        self.network = PlainNetwork(random.Random(f"network {seed}"))
        self.ledger = Ledger()
        self.network.on_sent = self.ledger.note_sent
        self.outcome = outcome
        self.group: ConversationId
        self.machines: list[Machine] = []
        self._seed = seed
        self._size = members
        self._folder = folder
        self._locator: Process
        self._closing: list[MemoryAndSqlite] = []

    def tell(self, what: str) -> None:
        """Add a line to the story."""
        self.outcome.story.append(f"[{asyncio.get_running_loop().time():7.1f}] {what}")

    async def play(self, trouble_seconds: float, liars: Liars) -> None:
        """Play the whole run; raise FailedError if it does not end as it must."""
        link = await self._start_locator()
        for number in range(self._size):
            host = f"10.{number // 250}.{number % 250}.1"
            name = f"m{number:02}"
            self.machines.append(Machine(name, host, self._folder / name, self.network, link, f"{self._seed}"))
        await self._make_group()
        trouble = Trouble(self)
        trouble.corrupt(liars)
        self.ledger.liars = {machine.host for machine in self.machines if machine.is_hostile}
        await trouble.rage(trouble_seconds)
        self.outcome.copies_in_trouble = max(self.ledger.copies.values(), default=0)
        await trouble.end()
        self.outcome.healed_after = await self._heal()
        await self._write_in_calm()
        wrong = await losses(self._members(), self.honest(), self.group, self.ledger)
        wrong += await remains(self._members(), self.group, self.ledger)
        if wrong:
            self.outcome.story += wrong
            raise FailedError(wrong[0])

    async def close(self) -> None:
        """Switch everything off."""
        for machine in self.machines:
            await machine.stop()
        self._locator.kill()
        for store in self._closing:
            await store.close()

    # --- the beginning -----------------------------------------------------------------------------

    async def _start_locator(self) -> str:
        self._locator = Process("locator")
        return await self._locator.start(self._serve())

    async def _serve(self) -> str:
        loop = asyncio.get_running_loop()
        folder = self._folder / "locator"
        folder.mkdir()
        authority = Authority.open_or_create(folder / "authority.pem", Clock(loop)())
        passwords = PasswordPool()
        passwords._executor = InlineExecutor()  # type: ignore[assignment]
        store = MemoryAndSqlite(folder)
        store._thread = InlineExecutor()  # type: ignore[assignment]
        self._closing.append(store)
        server = LocatorServer(Requests(store, authority, registration_open=True), authority, passwords, store)
        server._keep(server._sweep())
        context = PlainContext(server.certificate, ALPN)
        self.network.serve(LOCATOR_HOST, LOCATOR_PORT, lambda: Connection(server), context)
        return f"hail://{LOCATOR_HOST}:{LOCATOR_PORT}#{authority.realm.hex()}"

    async def _make_group(self) -> None:
        for machine in self.machines:
            await machine.register()
        first, *others = self.machines
        await self._befriend()
        joining = [other.name for other in others]
        if len(others) > 3:
            # One or more are left to be added later.
            joining = joining[: -max(1, len(others) // 8)]
        view = await first.ask(lambda node: node.create_group("All", joining))
        self.group = view.conversation
        self.tell(f"{first.name} makes a group of {len(joining) + 1}")

    async def _befriend(self) -> None:
        first = self.machines[0]
        wanted = [
            (one, other)
            for one, other in itertools.combinations(self.machines, 2)
            if one is first or len(self.machines) <= ALL_FRIENDS or self.chance.random() < 3 / len(self.machines)
        ]
        for one, other in wanted:
            await one.ask(lambda node, name=other.name: node.ask(name))
        for one, other in wanted:
            await self._until(lambda one=one, other=other: _was_asked(other, one.name))
            await other.ask(lambda node, name=one.name: node.accept(name))
        for one, other in wanted:
            await self._until(lambda one=one, other=other: _are_friends(one, other.name))

    # --- the end -----------------------------------------------------------------------------------

    def honest(self) -> list[Machine]:
        """Return those who keep to the rules."""
        return [machine for machine in self.machines if not machine.is_hostile]

    async def _heal(self) -> float:
        """Wait until all honest members agree; raise FailedError with how they differ if they do not."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while differing := await differences(self._members(), self.group):
            if loop.time() - began > HEALING_SECONDS:
                self.outcome.story += differing
                raise FailedError(f"honest members differ after {HEALING_SECONDS:.0f} s: {differing[0]}")
            for machine in self.machines:
                # Whose disk was set back may hear only now that another session took over.
                await machine.attend()
            await asyncio.sleep(5)
        return loop.time() - began

    def _members(self) -> list[Machine]:
        return final_members(self.honest(), self.group)

    async def _write_in_calm(self) -> None:
        """Nothing goes wrong any more: each member writes, all get it, and nobody sends an entry too often."""
        # Until the last link is up, and compared: who meets afresh may be sent a thing twice.
        await asyncio.sleep(SETTLING_SECONDS)
        members = self._members()
        self.ledger.copies.clear()
        self.ledger.frames.clear()
        for member in members:
            text = f"{member.name} in calm"
            view = await member.ask(lambda node, text=text: node.send_text(self.group, text))
            self.ledger.written[view.entry] = Written(member.name, text)
            await asyncio.sleep(BETWEEN_CALM_SECONDS)
        await asyncio.sleep(CALM_SECONDS)
        await self._heal()
        self.outcome.copies_in_calm = max(self.ledger.copies.values(), default=0)
        self.outcome.frames_in_calm = max(self.ledger.frames.values(), default=0) / max(1, len(members))
        if self.outcome.copies_in_calm > MOST_COPIES:
            raise FailedError(f"a member sent one entry {self.outcome.copies_in_calm} times, in calm")

    async def _until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 300) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not await holds():
            if asyncio.get_running_loop().time() > deadline:
                raise FailedError("the group could not be made")
            await asyncio.sleep(0.2)


async def _was_asked(machine: Machine, user: str) -> bool:
    contacts = await machine.ask(lambda node: node.contacts())
    return any(each.user == user and each.state is Consent.ASKED_BY_THEM for each in contacts)


async def _are_friends(machine: Machine, user: str) -> bool:
    contacts = await machine.ask(lambda node: node.contacts())
    return any(each.user == user and each.state is Consent.FRIENDS for each in contacts)

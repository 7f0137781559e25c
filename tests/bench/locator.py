"""Goals L1 to L9: what the locator answers, remembers and withstands, beside Redis and Syncthing's discovery server.

The locator is the real one, `hail-locator serve` with its authorisation, limits and log. What a server costs is told
by the system: processor seconds of its whole process. So neither the load's own processor nor a noisy neighbour
counts, and "per CPU" means: in one second of the server's processor time. Each round measures all servers in turn,
and ratios are taken within a round.
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from locator.authority import FILE_NAME, Authority
from tests.bench.course_talk import ACCOUNTS, CLIENTS, REQUESTS, CourseTalk
from tests.bench.load import Answered, Gathered, Talk, ask_for_a_while, ask_now_and_then, ask_to_the_end, gather
from tests.bench.password_storm import log_in_all_at_once
from tests.bench.population import settle_course, settle_people, settle_people_in_redis
from tests.bench.redis_reference import RedisServer
from tests.bench.reference_server import free_place
from tests.bench.report import Row
from tests.bench.syncthing_reference import SyncthingDiscovery
from tests.bench.talks import LocatorTalk, RedisTalk, SyncthingTalk, look_up_bytes
from tests.locator.real_locator import RealLocator

PEOPLE = 10_000
CONNECTIONS = (1, 50, 1_000)
SHARED_PEOPLE = 50
LOOK_UP_SECONDS = 1.5
STORMS = (1_000, 10_000)
PASSWORDS = 1_000
WATCHED_SECONDS = 4.0
"""Look-ups are watched for so long during a storm of passwords, which lasts longer."""
FEWER_ROUNDS = 3
"""At most, of what takes ten seconds a round."""


class Bench:
    """A data folder with everybody's account, and two processes that make the load."""

    def __init__(self, folder: Path, pool: ProcessPoolExecutor) -> None:
        self.folder = folder
        self.data = folder / "locator"
        self._pool = pool
        settle_people(self.data, PEOPLE)
        self.authority = Authority.open_or_create(self.data / FILE_NAME, datetime.now(UTC)).der

    def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return self._pool.submit(work, *arguments).result()

    def run_beside(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return self._pool.submit(work, *arguments)

    @contextmanager
    def locator(self, data: Path | None = None, *flags: str) -> Iterator[RealLocator]:
        """Run a locator that was just started: nothing is cached, nobody is there yet."""
        locator = RealLocator(data or self.data, *flags)
        try:
            yield locator
        finally:
            locator.stop()

    @contextmanager
    def locator_on(self, redis: RedisServer) -> Iterator[RealLocator]:
        """Run a locator whose accounts and sessions are in Redis."""
        url, authority = f"redis://{redis.plain[0]}:{redis.plain[1]}/1", self.data / FILE_NAME
        data = self.folder / "shared"
        settle_people_in_redis(data, authority, url, SHARED_PEOPLE)
        with self.locator(data, "--store", url, "--authority", str(authority)) as locator:
            yield locator

    def talk(self, locator: RealLocator, *, logs_in: bool = True) -> LocatorTalk:
        return LocatorTalk(locator.place, self.authority, logs_in)


def run(folder: Path, rounds: int) -> list[Row]:
    """Look-ups, storms, passwords and the course port, one after the other."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        bench = Bench(folder, pool)
        return [
            *_look_ups(bench, rounds),
            *_storms(bench, rounds),
            _password_storm(bench, min(rounds, FEWER_ROUNDS)),
            *_course(bench, rounds),
        ]


# --- L1 to L4 ----------------------------------------------------------------------------------------------------


def _look_ups(bench: Bench, rounds: int) -> list[Row]:
    """Ask where somebody is, on few and on many connections."""
    redis = RedisServer(bench.folder / "redis")
    syncthing = SyncthingDiscovery(bench.folder / "syncthing")
    sizes = look_up_bytes()
    print(f"look-ups: {sizes[0]} bytes asked, {sizes[1]} answered; Redis the same", file=sys.stderr)
    try:
        with bench.locator() as locator, bench.locator_on(redis) as shared:
            talks: dict[str, tuple[Talk, int]] = {
                "Hail": (bench.talk(locator), locator.process.pid),
                _SHARED: (bench.talk(shared), shared.process.pid),
                "Redis GET plain": (RedisTalk(redis.plain, *sizes), redis.process),
                "Redis GET over TLS": (RedisTalk(redis.tls, *sizes, alpn=""), redis.process),
                "stdiscosrv": (SyncthingTalk(syncthing.place, syncthing.device), syncthing.process),
            }
            found: dict[tuple[str, int], list[Answered]] = {}
            for number in range(rounds):
                for connections in CONNECTIONS:
                    for name, (talk, process) in talks.items():
                        if name == _SHARED and connections != SHARED_PEOPLE:
                            continue
                        answered = bench.run(ask_for_a_while, talk, connections, LOOK_UP_SECONDS, process)
                        found.setdefault((name, connections), []).append(answered)
                        _tell(number, f"{name}, {connections} connections: {_told(answered)}")
    finally:
        redis.close()
        syncthing.close()
    rows = [_against(found, goal, name, 50) for goal, name in _FLOORS]
    rows += [_against(found, goal, name, connections) for connections in (1, 1_000) for goal, name in _FLOORS]
    ours, embedded = (
        [answered.per_server_second for answered in found[who, SHARED_PEOPLE]] for who in (_SHARED, "Hail")
    )
    what = f"look-ups per CPU with accounts in Redis, {SHARED_PEOPLE} connections"
    on_redis = _at_least("L8", what, "per s", ours, embedded, "embedded", 0.6, "0.93")
    return [*rows, _fairness(found["Hail", 1_000]), on_redis]


_SHARED = "Hail on Redis"


_FLOORS = {
    ("L1", "Redis GET plain"): (0.5, "0.68"),
    ("L2", "Redis GET over TLS"): (0.7, "0.96"),
    ("L3", "stdiscosrv"): (2.0, "3.0"),
}


def _against(found: dict[tuple[str, int], list[Answered]], goal: str, name: str, connections: int) -> Row:
    ours, theirs = ([answered.per_server_second for answered in found[who, connections]] for who in ("Hail", name))
    what = f"look-ups per CPU, {connections} connections"
    floor, aim = _FLOORS[goal, name] if connections == 50 else (None, "")
    return _at_least(goal, what, "per s", ours, theirs, name, floor, aim)


def _fairness(found: list[Answered]) -> Row:
    p50, p99 = [answered.p50 * 1e3 for answered in found], [answered.p99 * 1e3 for answered in found]
    return _at_most("L4", "1,000 connections, all answered: p99", "ms", p99, p50, "p50", 3, "1.4")


# --- L5 and L6 ---------------------------------------------------------------------------------------------------


def _storms(bench: Bench, rounds: int) -> list[Row]:
    """Let many devices return to a locator that has just started."""
    rows = []
    sessions: list[float] = []
    for devices in STORMS:
        logins, handshakes, walls = [], [], []
        for number in range(rounds if devices < PEOPLE else min(rounds, FEWER_ROUNDS)):
            stormed = []
            for logs_in in (False, True):
                with bench.locator() as locator:
                    talk = bench.talk(locator, logs_in=logs_in)
                    gathered: Gathered = bench.run(gather, talk, devices, locator.process.pid)
                stormed.append(gathered)
                what = "logins" if logs_in else "bare handshakes"
                _tell(number, f"{devices} {what}: {_gathered(gathered)}")
            handshakes.append(stormed[0].per_server_second)
            logins.append(stormed[1].per_server_second)
            walls.append(devices / stormed[1].seconds)
            if devices == PEOPLE:
                sessions.append(stormed[1].server_bytes / devices / 1024)
        rate = f"logins by key per CPU, {devices:,} at once"
        rows.append(_at_least("L6", rate, "per s", logins, handshakes, "bare handshakes", 0.7, "1.1"))
        wall = statistics.median(walls)
        what = "the same by the clock, with the load on the same machine"
        rows.append(Row("L6", what, wall, "per s", None, "", None, "-", "", None))
    return [_memory(bench, sessions), *rows]


def _memory(bench: Bench, sessions: list[float]) -> Row:
    redis = RedisServer(bench.folder / "redis-memory")
    try:
        talk = RedisTalk(redis.tls, *look_up_bytes(), alpn="")
        gathered: Gathered = bench.run(gather, talk, PEOPLE, redis.process)
    finally:
        redis.close()
    theirs = [gathered.server_bytes / PEOPLE / 1024] * len(sessions)
    what = f"memory per idle TLS session, {PEOPLE:,} of them"
    return _at_most("L5", what, "KiB", sessions, theirs, "Redis over TLS", 1.2, "0.64")


# --- L7 ----------------------------------------------------------------------------------------------------------


def _password_storm(bench: Bench, rounds: int) -> Row:
    """Ask now and then, while nothing happens and while everybody types the password."""
    idle, busy = [], []
    with get_context("spawn").Manager() as manager:
        for number in range(rounds):
            with bench.locator() as locator:
                talk = bench.talk(locator)
                quiet = bench.run(ask_now_and_then, talk, WATCHED_SECONDS)
                gate = manager.Barrier(2)
                strangers = bench.talk(locator, logs_in=False)
                storm = bench.run_beside(log_in_all_at_once, strangers, PASSWORDS, gate)
                watched = bench.run(ask_now_and_then, talk, WATCHED_SECONDS, gate)
                stormed = storm.result()
            idle.append(_p99(quiet))
            busy.append(_p99(watched))
            _tell(
                number,
                f"{PASSWORDS} passwords: {stormed.let_in} let in, {stormed.told_to_wait} told when to come again, "
                f"all within {stormed.seconds:.1f} s; look-up p99 {busy[-1]:.2f} ms of {len(watched)}, "
                f"idle {idle[-1]:.2f} ms of {len(quiet)}",
            )
    what = f"look-up p99 while {PASSWORDS:,} passwords wait"
    return _at_most("L7", what, "ms", busy, idle, "idle", 5, "1")


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100] * 1e3


# --- L9 ----------------------------------------------------------------------------------------------------------


def _course(bench: Bench, rounds: int) -> list[Row]:
    """Let the course's clients log in, ask and log out, all at once."""
    data = bench.folder / "course"
    settle_course(data, ACCOUNTS)
    totals, worsts = [], []
    for number in range(rounds):
        place = free_place()
        with bench.locator(data, "--course-port", f"{place[0]}:{place[1]}") as locator:
            answered: Answered = bench.run(ask_to_the_end, CourseTalk(place), CLIENTS, locator.process.pid)
        totals.append(answered.seconds)
        worsts.append(answered.worst)
        _tell(number, f"course: {answered.answers} answers in {answered.seconds:.2f} s, {_told(answered)}")
    total, worst = statistics.median(totals), statistics.median(worsts)
    what = f"course port, {CLIENTS:,} clients, {REQUESTS:,} requests, all right"
    return [
        Row("L9", what, total, "s", 89, "a student's server, published", total / 89, "≤ 4 s", "2 s", total <= 4),
        Row("L9", "the same, worst answer", worst, "s", 23, "the same", worst / 23, "≤ 1 s", "", worst <= 1),
    ]


# --- telling -----------------------------------------------------------------------------------------------------


def _at_least(
    goal: str, what: str, unit: str, ours: list[float], theirs: list[float], name: str, floor: float | None, aim: str
) -> Row:
    ratios = _ratios(ours, theirs)
    middle = statistics.median(ratios)
    met = None if floor is None else middle >= floor
    return Row(
        goal, what, statistics.median(ours), unit, statistics.median(theirs), name, middle,
        "-" if floor is None else f"≥ {floor:g}", aim, met, (min(ratios), max(ratios)),
    )  # fmt: skip


def _at_most(
    goal: str, what: str, unit: str, ours: list[float], theirs: list[float], name: str, floor: float, aim: str
) -> Row:
    ratios = _ratios(ours, theirs)
    middle = statistics.median(ratios)
    return Row(
        goal, what, statistics.median(ours), unit, statistics.median(theirs), name, middle,
        f"≤ {floor:g}", aim, middle <= floor, (min(ratios), max(ratios)),
    )  # fmt: skip


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def _told(answered: Answered) -> str:
    rates = f"{answered.per_server_second:.0f} per CPU, {answered.answers / answered.seconds:.0f} by the clock"
    return f"{rates}, p50 {answered.p50 * 1e3:.2f}, p99 {answered.p99 * 1e3:.2f}, worst {answered.worst * 1e3:.1f} ms"


def _gathered(gathered: Gathered) -> str:
    each = gathered.server_bytes / gathered.connections / 1024
    return f"{gathered.per_server_second:.0f} per CPU, {gathered.seconds:.1f} s by the clock, {each:.1f} KiB each"


def _tell(number: int, what: str) -> None:
    print(f"round {number + 1}: {what}", file=sys.stderr, flush=True)

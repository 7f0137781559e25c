"""One file from several sources at once: who is slow costs no time, who lies is asked nothing more."""

import asyncio
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from peer import limits as node_limits
from peer.errors import Refusal, RefusalCode
from peer.links.link_book import Caller
from peer.storage.attachments import AttachmentRow
from peer.storage.messages import MessageRow
from peer.transfers import landing
from peer.transfers.download import Download
from peer.transfers.fetching import Fetch
from peer.transfers.threads import TransferThreads
from protocol import limits
from protocol.identity import DeviceId, FeedId, UserId
from protocol.manifests import PieceTable
from protocol.piece_sets import PieceSet
from protocol.transfer_states import TransferState
from tests.harness.file_sources import CONVERSATION, Giver, Offer, RunningSource, context

MIB = 1024 * 1024
FAST = 12 * MIB
"""Bytes a second of a source that is not slow: so little that a busy computer keeps up with several."""


@dataclass
class _Office:
    """Gathers in a folder, and remembers what was told."""

    folder: Path
    sources: dict[UserId, RunningSource]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: Refusal | None = None
    waited_for: list[tuple[RefusalCode, str] | None] = field(default_factory=list)

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        return self.sources[user].dial

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        assert certificate
        assert expected is not None
        return Caller(*expected)

    async def make_download(self, fetch: Fetch, table: PieceTable, encoded: bytes) -> Download:
        assert len(encoded) == fetch.body.table_bytes
        part = self.folder / "part"
        parts, held = landing.gather_at(part, fetch.body, table, b"")
        return Download(table, parts, part, held, random.Random(1))

    async def all_came(self, fetch: Fetch) -> None:
        assert fetch.download is not None
        assert fetch.download.is_complete
        self.over.set()

    async def keep_pieces(self, fetch: Fetch) -> None:
        assert fetch.done

    def progressed(self, fetch: Fetch) -> None:
        self.waited_for.append(fetch.waiting_for)

    def failed(self, fetch: Fetch, refusal: Refusal) -> None:
        assert fetch.is_over
        self.refusal = refusal
        self.over.set()


class _Fetched:
    """A fetch from some sources, from begin to end: how long it took, and what it came to."""

    def __init__(
        self,
        folder: Path,
        offer: Offer,
        behaviours: dict[str, Giver],
        *,
        head_start: float = 0.0,
        lacks: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """The first source is heard of so much earlier than the others (s); some lack so many of the last pieces."""
        self._offer, self._head_start, self._lacks = offer, head_start, lacks
        folder.mkdir()
        with ExitStack() as opened:
            self.sources = {UserId(name): RunningSource(give) for name, give in behaviours.items()}
            for source in self.sources.values():
                opened.callback(source.close)
            worker = opened.enter_context(ThreadPoolExecutor(1))
            asyncio.run(self._fetch(folder, worker))
        self.content = (folder / "part").read_bytes()

    async def _fetch(self, folder: Path, worker: ThreadPoolExecutor) -> None:
        body = self._offer.body
        row = AttachmentRow(body.entry_id, body, TransferState.WAITING, b"", "", "", 0, "", "")
        message = MessageRow(
            arrival=1,
            entry=body.entry_id,
            conversation=1,
            feed=FeedId(bytes(48)),
            number=1,
            author=UserId("ana"),
            mine=False,
            kind="file",
            text="",
            reply_to=None,
            stamp=0,
            seen=False,
            attachment=row,
        )
        office = _Office(folder, self.sources)
        client, chance = context(b"c", is_server=False), random.Random(1)
        fetch = Fetch(message, CONVERSATION, office, TransferThreads(6), client, worker, chance)
        began = time.perf_counter()
        fetch.start(self._offer.table, self._offer.encoded)
        for number, name in enumerate(self.sources):
            if number == 1:
                await asyncio.sleep(self._head_start)
            held = PieceSet(self._offer.size)
            for piece in range(held.pieces - self._lacks.get(name, 0)):
                held.add(piece)
            fetch.heard(name, device_of(name), held)
        async with asyncio.timeout(60):
            await office.over.wait()
        self.seconds = time.perf_counter() - began
        self.refusal, self.liars = office.refusal, set(fetch.liars.values())
        self.waited_for = office.waited_for
        await fetch.stop()
        for thread in threading.enumerate():
            if thread.name.startswith("transfer-"):  # who was just connecting asks this loop
                await asyncio.get_running_loop().run_in_executor(worker, thread.join)


def device_of(user: str) -> DeviceId:
    return DeviceId(user.encode().ljust(32, b"."))


@pytest.fixture(params=[False, True], ids=["small pieces", "large pieces"])
def offer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """12 MiB, in pieces as most files have, or as one of 8 GiB has: those cannot come from two sources at once."""
    if request.param:
        monkeypatch.setattr(limits, "PIECES_PER_ATTACHMENT", 6)
    monkeypatch.setattr(node_limits, "BEHIND_SECONDS", 1.0)
    return Offer(random.Random(1).randbytes(12 * MIB))


@pytest.mark.parametrize("head_start", [0.0, 0.3], ids=["from the beginning", "alone at first"])
def test_one_slow_source_of_three_costs_hardly_any_time(tmp_path: Path, offer: Offer, head_start: float) -> None:
    two = {f"fast{number}": Giver(offer, FAST) for number in (1, 2)}
    alone = _Fetched(tmp_path / "two", offer, dict(two))
    slow = Giver(offer, 100 * 1024)
    beside = _Fetched(tmp_path / "three", offer, {"slow": slow, **two}, head_start=head_start)
    print(f"without it {alone.seconds:.2f} s, with it {beside.seconds:.2f} s, {slow.given / MIB:.1f} MiB of it")
    assert alone.content == beside.content == offer.content
    assert beside.seconds < 1.5 * alone.seconds + head_start + 3 * node_limits.BEHIND_SECONDS


def test_a_slow_source_that_alone_has_something_is_not_given_up(tmp_path: Path, offer: Offer) -> None:
    last = 2 * MIB // offer.table.piece_bytes
    both = {"fast": Giver(offer, 2 * FAST), "slow": Giver(offer, MIB)}
    fetched = _Fetched(tmp_path / "both", offer, both, lacks={"fast": last})
    assert fetched.content == offer.content
    assert fetched.sources[UserId("slow")].connections == 1
    assert both["slow"].given < 5 * MIB


def test_who_lies_is_asked_nothing_more_and_named(tmp_path: Path, offer: Offer, expected_log: list[str]) -> None:
    expected_log.append("source of files is given up")
    liar = Giver(offer, FAST, spoil=lambda _, data: b"?" + data[1:])
    sources = {"liar": liar, "honest": Giver(offer, FAST)}
    fetched = _Fetched(tmp_path / "both", offer, sources)
    assert fetched.content == offer.content
    assert fetched.refusal is None
    assert fetched.liars == {"liar"}
    assert fetched.sources[UserId("liar")].connections == 1
    assert len(expected_log) == 1


def test_where_all_who_are_there_lie_it_waits_with_the_reason_for_somebody_who_does_not(
    tmp_path: Path, offer: Offer, expected_log: list[str]
) -> None:
    expected_log.append("source of files is given up")
    sources = {
        "liar": Giver(offer, FAST, spoil=lambda _, data: b"?" + data[1:]),
        "honest": Giver(offer, FAST),
    }
    fetched = _Fetched(tmp_path / "both", offer, sources, head_start=1.0)
    waits = [reason for reason in fetched.waited_for if reason is not None]
    assert RefusalCode.WRONG_CONTENT in {code for code, _ in waits}
    assert fetched.refusal is None
    assert fetched.content == offer.content
    assert fetched.liars == {"liar"}

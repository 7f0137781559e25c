"""What two programs send to find their replicas of 1,000 feeds equal, in bytes of frames, both together."""

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from peer.entries import intake
from peer.node import PeerNode
from peer.storage import feeds
from peer.storage.database import Connection
from peer.views import ConversationId
from protocol.entries import Text
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend

FEEDS = 1_000
COMPARING = ("Digests", "Buckets", "Lines")
COMPARED_SECONDS = 5.0
"""Linked so long, they have compared."""
SYNC_SECONDS = 120.0


def bytes_to_compare(folder: Path) -> tuple[int, int]:
    """Return the bytes of frames, of both together: where all is equal, and where one feed is one entry longer."""
    locator = LocatorProcess(folder / "locator")
    try:
        pair = Pair(folder, locator.link)
        pair.write_feeds()
        equal = pair.compare()
        pair.write_one_more()
        return equal, pair.compare()
    finally:
        locator.stop()


class Pair:
    """Ana and Bo, and a group of the two; neither runs but where it is said."""

    def __init__(self, folder: Path, locator: str) -> None:
        self._folder = folder
        self._locator = locator
        ana, bo = (PeerProcess(folder / user) for user in ("ana", "bo"))
        for peer, user in ((ana, "ana"), (bo, "bo")):
            peer.call("session.register", locator=locator, user=user, password=PASSWORD, name=user)
        befriend(ana, bo, "ana", "bo")
        self._group: str = ana.call("groups.create", name="Two", members=["bo"])["conversation"]
        bo.wait_for("group_changed", lambda event: event["group"]["conversation"] == self._group)
        ana.close()
        bo.close()

    def write_feeds(self) -> None:
        """Let Ana write in as many feeds as a class of devices has, and Bo have them all."""
        asyncio.run(self._write_feeds())
        ana, bo = self._log_in("ana"), self._log_in("bo")
        deadline = time.monotonic() + SYNC_SECONDS
        while (
            next(row for row in bo.call("conversations.list") if row["conversation"] == self._group)["unread"] < FEEDS
        ):
            assert time.monotonic() < deadline, "Bo does not get all feeds"
            time.sleep(0.2)
        ana.close()
        bo.close()

    async def _write_feeds(self) -> None:
        node = PeerNode(self._folder / "ana")
        await node.log_in(self._locator, "ana", PASSWORD)
        session = node._session
        assert session is not None
        group = session.conversations.get(ConversationId(bytes.fromhex(self._group)))
        assert group is not None
        author, now_ms = session.conversations._author, int(time.time() * 1000)

        def job(connection: Connection) -> None:
            # As after so many restored backups: each begins a feed of its own.
            for number in range(FEEDS):
                row = replace(group.kept, incarnation=secrets.token_bytes(16))
                feeds.set_incarnation(connection, row.row, row.incarnation)
                text = f"feed {number}"
                intake.write_body(
                    connection, author, row, lambda _, name, salt, text=text: Text(name, salt, text), now_ms, 0
                )

        await session._database.write(job)
        await node.close()

    def write_one_more(self) -> None:
        """Let Ana write while Bo is away."""
        ana = self._log_in("ana")
        ana.call("messages.send", conversation=self._group, text="one more")
        ana.close()

    def compare(self) -> int:
        """Link the two, and return what both sent to compare."""
        counted = [self._folder / f"{user}.json" for user in ("ana", "bo")]
        peers = [self._log_in(user, counts) for user, counts in zip(("ana", "bo"), counted, strict=True)]
        deadline = time.monotonic() + SYNC_SECONDS
        while not all(peer.call("session.status")["links"] for peer in peers):
            assert time.monotonic() < deadline, "the two do not meet"
            time.sleep(0.05)
        time.sleep(COMPARED_SECONDS)
        for peer in peers:
            peer.close()
        sent = sum((Counter(json.loads(counts.read_text("utf-8"))) for counts in counted), Counter[str]())
        print(f"sent by both: {dict(sent)}", file=sys.stderr)
        return sum(sent[kind] for kind in COMPARING)

    def _log_in(self, user: str, counts: Path | None = None) -> PeerProcess:
        inside = () if counts is None else (sys.executable, "-m", "tests.bench.counting_program", str(counts))
        peer = PeerProcess(self._folder / user, inside=inside)
        peer.call("session.login", locator=self._locator, user=user, password=PASSWORD)
        return peer

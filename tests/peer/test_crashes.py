"""Peers and locator are killed at random moments while texts flow: nothing is lost, doubled or out of order."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, RpcRefusal, befriend, texts_of


class _World:
    """A locator, Ana and Bo, who write to each other whatever happens."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.locator = LocatorProcess(folder / "locator", log=folder / "locator.log")
        # The port is kept in the data folder, so a restarted locator is where it was.
        self.peers: dict[str, PeerProcess] = {}
        for user in ("ana", "bo"):
            self.peers[user] = self._process(user)
            self.peers[user].call(
                "session.register", locator=self.locator.link, user=user, password=PASSWORD, name=user
            )
        self.conversation = befriend(self.peers["ana"], self.peers["bo"], "ana", "bo")
        self.answered: dict[str, list[str]] = {"ana": [], "bo": []}
        self._written = Counter[str]()

    def _process(self, user: str) -> PeerProcess:
        return PeerProcess(self.folder / user, log=self.folder / f"{user}.log")

    def burst(self, victims: list[str]) -> None:
        """Both write; in the midst of it the victims are killed. What was answered for is remembered."""
        posted: list[tuple[str, str, int]] = []
        kill_after = self.chance.randrange(1, 40)
        for step in range(40):
            for user, peer in self.peers.items():
                self._written[user] += 1
                text = f"{user} {self._written[user]}"
                posted.append((user, text, peer.post("messages.send", conversation=self.conversation, text=text)))
            if step == kill_after:
                time.sleep(self.chance.random() * 0.05)
                self._kill(victims)
        for user, text, number in posted:
            try:
                self.peers[user].take(number)
            except RpcRefusal:
                continue
            self.answered[user].append(text)
        self._bring_back(victims)

    def _kill(self, victims: list[str]) -> None:
        for victim in victims:
            (self.locator if victim == "locator" else self.peers[victim]).kill()

    def _bring_back(self, victims: list[str]) -> None:
        if "locator" in victims:
            self.locator.start()
        for user in self.peers:
            if user in victims:
                self.peers[user] = self._process(user)
                self.peers[user].call("session.login", locator=self.locator.link, user=user, password=PASSWORD)

    def settle(self) -> dict[str, list[str]]:
        """Wait until both show the same; return what each shows."""
        deadline = time.monotonic() + 60
        while True:
            shown = {user: texts_of(peer, self.conversation) for user, peer in self.peers.items()}
            wanted = set(self.answered["ana"]) | set(self.answered["bo"])
            if set(shown["ana"]) == set(shown["bo"]) and wanted <= set(shown["ana"]):
                return shown
            if time.monotonic() > deadline:
                missing = {user: sorted(wanted - set(texts))[:5] for user, texts in shown.items()}
                raise AssertionError(f"the two never agreed; missing: {missing}, {self.logs()}")
            time.sleep(0.2)

    def logs(self) -> str:
        return "".join(f"\n--- {file.name}\n{file.read_text()[-3000:]}" for file in self.folder.glob("*.log"))

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()
        self.locator.stop()


VICTIMS = [["ana"], ["bo"], ["locator"], ["ana", "bo"], ["bo", "locator"], ["ana", "bo", "locator"]]


@pytest.mark.parametrize(
    ("kills", "seed"), [(20, 1), pytest.param(220, 2, marks=pytest.mark.long)], ids=["20 kills", "220 kills"]
)
def test_what_was_answered_for_survives_every_kill(tmp_path: Path, kills: int, seed: int) -> None:
    world = _World(tmp_path, seed)
    done = 0
    try:
        while done < kills:
            victims = world.chance.choice(VICTIMS)
            world.burst(victims)
            done += len(victims)
        shown = world.settle()
        assert sum(map(len, world.answered.values())) > kills, "too little was written to prove anything"
        for user, texts in shown.items():
            doubled = [text for text, count in Counter(texts).items() if count > 1]
            assert not doubled, f"{user} shows twice: {doubled[:5]}"
            for author in ("ana", "bo"):
                numbers = [int(text.split()[1]) for text in texts if text.startswith(author)]
                assert numbers == sorted(numbers), f"{user} shows {author}'s texts out of order"
    finally:
        world.close()

"""Ana and Bo in the fault lab: real programs, a computer each, and a locator on a third one."""

import time
from pathlib import Path

from tests.fault_lab.lab import Host, Lab
from tests.harness.processes import PASSWORD, LocatorProcess, PeerProcess, befriend, texts_of


class Friends:
    """Everything in one folder; `lab` has the paths between them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self._folder = folder
        self.hosts: dict[str, Host] = {name: lab.host(name) for name in ("locator", "ana", "bo")}
        place = self.hosts["locator"]
        self.locator = LocatorProcess(folder / "locator", listen=f"{place.address}:7400", inside=place.inside)
        self._running: dict[str, PeerProcess] = {}
        for name in ("ana", "bo"):
            self._start(name).call(
                "session.register", locator=self.locator.link, user=name, password=PASSWORD, name=name.title()
            )
        self.conversation = befriend(self["ana"], self["bo"], "ana", "bo")

    def __getitem__(self, name: str) -> PeerProcess:
        return self._running[name]

    def _start(self, name: str) -> PeerProcess:
        peer = PeerProcess(self._folder / name, log=self._folder / f"{name}.log", inside=self.hosts[name].inside)
        self._running[name] = peer
        return peer

    def restart(self, name: str) -> PeerProcess:
        """Kill a program and start it again on the same profile."""
        self[name].kill()
        peer = self._start(name)
        peer.call("session.login", locator=self.locator.link, user=name, password=PASSWORD)
        return peer

    def say(self, name: str, text: str) -> str:
        """Write a text; return its entry."""
        entry: str = self[name].call("messages.send", conversation=self.conversation, text=text)["entry"]
        return entry

    def hears(self, name: str, text: str, *, wait: float) -> float:
        """Wait until somebody is shown a text; return the seconds that it took."""
        began = time.monotonic()
        self[name].wait_for("message_arrived", lambda event: event["message"]["text"] == text, wait=wait)
        return time.monotonic() - began

    def texts(self, name: str) -> list[str]:
        return texts_of(self[name], self.conversation)

    def send_file(self, name: str, path: Path) -> str:
        """Offer a file; return its entry."""
        sent = self[name].call("files.send", conversation=self.conversation, path=str(path))
        entry: str = sent["entry"]
        return entry

    def close(self) -> None:
        for peer in self._running.values():
            if peer.process.poll() is None:
                peer.kill()
        if self.locator.process.poll() is None:
            self.locator.kill()

"""Real programs as a test drives them: a locator and peers without windows, one process each."""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 30.0
PASSWORD = "correct horse"


class RpcRefusal(Exception):
    """An answer of the rpc that is an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['data']['code']}: {error['message']}")
        self.code: str = error["data"]["code"]
        self.message: str = error["message"]


class LocatorProcess:
    """`hail-locator serve` on loopback, with a data folder of its own."""

    def __init__(
        self,
        data: Path,
        *,
        listen: str = "127.0.0.1:0",
        log: Path | None = None,
        announce: bool = False,
        flags: tuple[str, ...] = (),
        inside: Sequence[str] = (),
    ) -> None:
        """`inside` is a command that runs the one behind it, somewhere special."""
        self.data = data
        self._inside = inside
        self._listen = listen
        self._log = log
        self._flags = flags if announce else (*flags, "--no-announce")
        self.process: subprocess.Popen[bytes]
        self.link = ""
        self.start()

    def start(self) -> None:
        errors = self._log.open("ab") if self._log else None
        self.process = subprocess.Popen(
            [
                *self._inside,
                sys.executable,
                "-m",
                "locator",
                "serve",
                "--data",
                str(self.data),
                "--listen",
                self._listen,
                *self._flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors or subprocess.DEVNULL,
        )
        if errors:
            errors.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready hail://"):
            self.kill()
            raise AssertionError(f"the locator said {line!r}")
        self.link = line.split()[1]

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()
        return code


class PeerProcess:
    """`hail-cli rpc` on a profile: calls methods, collects events."""

    def __init__(self, profile: Path, *, log: Path | None = None, inside: Sequence[str] = ()) -> None:
        """`inside` is a command that runs the one behind it, somewhere special."""
        self.profile = profile
        self.events: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._changed = threading.Condition()
        errors = log.open("ab") if log else None
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "peer.command_line", "--profile", str(profile), "rpc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors or subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        if errors:
            errors.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a line cut short by a kill
            if message.get("method") == "event":
                with self._changed:
                    self.events.append({**message["params"], "received": time.perf_counter()})
                    self._changed.notify_all()
            elif message.get("id") in self._answers:
                self._answers[message["id"]].put(message)
        for waiting in list(self._answers.values()):
            waiting.put({"error": {"data": {"code": "gone"}, "message": "the process ended"}})
        with self._changed:
            self._changed.notify_all()

    def post(self, method: str, **params: Any) -> int:
        """Send a request without waiting; `take` gets the answer."""
        number = next(self._numbers)
        self._answers[number] = queue.Queue()
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except (OSError, ValueError):  # ValueError: the pipe was closed here
            self._answers[number].put({"error": {"data": {"code": "gone"}, "message": "the process ended"}})
        return number

    def take(self, number: int, *, wait: float = ANSWER_SECONDS) -> Any:
        answer = self._answers[number].get(timeout=wait)
        del self._answers[number]
        if "error" in answer:
            raise RpcRefusal(answer["error"])
        return answer["result"]

    def call(self, method: str, **params: Any) -> Any:
        """Send a request, return its result, raise RpcRefusal for an error."""
        return self.take(self.post(method, **params))

    def wait_for(
        self, kind: str, condition: Callable[[dict[str, Any]], bool] = lambda _: True, *, wait: float = 20.0
    ) -> dict[str, Any]:
        """Return the first event of a kind, past or to come, for which the condition holds."""
        deadline = time.monotonic() + wait
        seen = 0
        with self._changed:
            while True:
                for event in self.events[seen:]:
                    if event["type"] == kind and condition(event):
                        return event
                seen = len(self.events)
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    kinds = [event["type"] for event in self.events[-12:]]
                    raise AssertionError(f"no {kind} within {wait} s; the last events: {kinds}")

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def close(self) -> int:
        """End its input, as a script does; return the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(15)
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        return code


def texts_of(peer: PeerProcess, conversation: str) -> list[str]:
    """Return all texts of a conversation as the peer would show them, oldest first."""
    texts: list[str] = []
    before: str | None = None
    while True:
        page = peer.call("messages.list", conversation=conversation, before=before, limit=1000)
        texts[:0] = [message["text"] for message in page]
        if len(page) < 1000:
            return texts
        before = page[0]["entry"]


def befriend(one: PeerProcess, other: PeerProcess, one_id: str, other_id: str) -> str:
    """Make two signed-in peers friends; return their conversation."""
    one.call("contacts.ask", user=other_id, note="")
    other.wait_for("contact_asked", lambda event: event["contact"]["user"] == one_id)
    other.call("contacts.accept", user=one_id)
    one.wait_for("contact_accepted", lambda event: event["contact"]["user"] == other_id)
    conversation: str = one.call("conversations.open", user=other_id)["conversation"]
    return conversation


class Three:
    """A locator, Ana and Bo; everything in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.locator = LocatorProcess(folder / "locator", log=folder / "locator.log")
        self.running: list[PeerProcess] = []

    def peer(self, profile: str, *, inside: Sequence[str] = ()) -> PeerProcess:
        peer = PeerProcess(self.folder / profile, log=self.folder / f"{profile}.log", inside=inside)
        self.running.append(peer)
        return peer

    def registered(self, user: str) -> PeerProcess:
        peer = self.peer(user)
        peer.call("session.register", locator=self.locator.link, user=user, password=PASSWORD, name=user.title())
        return peer

    def log_in(self, user: str, *, inside: Sequence[str] = ()) -> PeerProcess:
        peer = self.peer(user, inside=inside)
        peer.call("session.login", locator=self.locator.link, user=user, password=PASSWORD)
        return peer

    def close(self) -> None:
        for peer in self.running:
            if peer.process.poll() is None:
                peer.close()
        if self.locator.process.poll() is None:
            self.locator.stop()

"""The real thing, for end-to-end tests: `python -m locator serve` as a process, and a client over real TLS."""

import contextlib
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from protocol import limits
from protocol.certificates import realm_of
from protocol.framing import FrameReader
from protocol.identity import UserId
from protocol.locator_messages import (
    ALPN,
    LOCATOR,
    Endpoint,
    LoggedIn,
    LogIn,
    LogInByKey,
    Refused,
    Register,
    Watch,
    Welcome,
    Where,
    Whereabout,
    Whereabouts,
    login_challenge,
)
from protocol.registry import Message
from protocol.signatures import Purpose, SigningKey

M = TypeVar("M", bound=Message)
PATIENCE = 5.0
PASSWORD = "correct horse"


def free_port() -> int:
    """Return a port that is free on every address, and below those that systems give to outgoing connections.

    One of these would be somebody's else now and then before it is bound.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with contextlib.suppress(OSError), socket.create_server(("0.0.0.0", port)):
            return port


class RealLocator:
    """One `serve` process on loopback."""

    def __init__(
        self, data: Path, *flags: str, listen: str | None = "127.0.0.1:0", inside: tuple[str, ...] = ()
    ) -> None:
        """Without `listen` the settings file says where. `inside` is a command that runs the locator's."""
        self.data = data
        serve = [sys.executable, "-m", "locator", "serve", "--no-announce", "--data", str(data)]
        serve += [] if listen is None else ["--listen", listen]
        with self.log_path.open("ab") as errors:
            self.process = subprocess.Popen(
                [*inside, *serve, *flags],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.ready_line = self.process.stdout.readline()
        self.link = self.ready_line.removeprefix("ready ").strip()
        host, _, port = self.link.removeprefix("hail://").partition("#")[0].rpartition(":")
        self.place = (host, int(port or 0))

    @property
    def log_path(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def connect(self, key: SigningKey | None = None) -> "Client":
        return Client(self.place, key)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code


class Client:
    """A peer as far as the locator knows one; blocking, so that tests read from top to bottom."""

    def __init__(self, place: tuple[str, int], key: SigningKey | None = None, alpn: tuple[str, ...] = (ALPN,)) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(list(alpn))
        self.key = key or SigningKey(secrets.token_bytes(32))
        self.endpoint = Endpoint(7500, 7501)
        self._tag = 0
        self._reader = FrameReader(limits.LOCATOR_REPLY_FRAME)
        self._messages: deque[Message] = deque()
        self.socket = context.wrap_socket(socket.create_connection(place, PATIENCE))
        self.certificate = self.socket.getpeercert(binary_form=True)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def greeted(self) -> "Client":
        self.welcome = self.expect(Welcome)
        self.realm = realm_of(self.welcome.authority)
        return self

    def send(self, message: Message) -> None:
        self.socket.sendall(LOCATOR.encode(message))

    def receive(self) -> Message | None:
        """Return the next message, or None once the locator hung up."""
        while not self._messages:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._messages += [LOCATOR.decode(frame) for frame in self._reader.receive(data)]
        return self._messages.popleft()

    def expect(self, kind: type[M]) -> M:
        message = self.receive()
        assert isinstance(message, kind), message
        return message

    def hears_nothing(self, seconds: float) -> bool:
        """Tell whether nothing at all comes for a while."""
        self.socket.settimeout(seconds)
        try:
            self.receive()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)
        return False

    def tag(self) -> int:
        self._tag += 1
        return self._tag

    def ask(self, question: Callable[[int], Message], kind: type[M]) -> M:
        """Ask, skipping what comes unasked meanwhile."""
        tag = self.tag()
        self.send(question(tag))
        while True:
            message = self.receive()
            assert message is not None, "the locator hung up"
            if getattr(message, "tag", None) == tag:
                assert isinstance(message, kind), message
                return message

    def register(self, user: str, kind: type[M] = LoggedIn, password: str = PASSWORD, name: str = "Somebody") -> M:
        return self.ask(lambda tag: Register(tag, UserId(user), password, name, self.key.public, self.endpoint), kind)

    def try_to_register(self, user: str) -> LoggedIn | Refused:
        return self.register(user, LoggedIn | Refused)  # type: ignore[arg-type]  # isinstance takes either

    def log_in(self, user: str, kind: type[M] = LoggedIn, password: str = PASSWORD) -> M:
        return self.ask(lambda tag: LogIn(tag, UserId(user), password, self.key.public, self.endpoint), kind)

    def log_in_by_key(
        self,
        user: str,
        kind: type[M] = LoggedIn,
        *,
        resume: int = 0,
        renew: bool = False,
        signer: SigningKey | None = None,
    ) -> M:
        return self.ask(lambda tag: self.key_login(user, tag, resume=resume, renew=renew, signer=signer), kind)

    def key_login(
        self, user: str, tag: int = 1, *, resume: int, renew: bool = False, signer: SigningKey | None = None
    ) -> LogInByKey:
        challenge = login_challenge(self.welcome.nonce, self.certificate, UserId(user))
        signature = (signer or self.key).sign(Purpose.LOGIN, self.realm, challenge)
        return LogInByKey(tag, UserId(user), self.key.public, signature, resume, renew, self.endpoint)

    def where(self, *users: str) -> tuple[Whereabout, ...]:
        return self.ask(lambda tag: Where(tag, tuple(map(UserId, users))), Whereabouts).about

    def watch(self, *users: str) -> tuple[Whereabout, ...]:
        return self.ask(lambda tag: Watch(tag, tuple(map(UserId, users))), Whereabouts).about


def command(data: Path | None, *words: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of the operator's commands to its end."""
    place = [] if data is None else ["--data", str(data)]
    return subprocess.run(
        [sys.executable, "-m", "locator", *words, *place],
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | environment,
    )

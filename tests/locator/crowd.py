"""Crowds at a door, in a process of their own: `python -m tests.locator.crowd KIND PORT HOW_MANY ADDRESSES`.

Prints one line of JSON with what became of them; `everything` is every kind of flood but guessing. `returning` prints a
line each time that everybody is logged in, and goes on until standard input ends.
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import random
import resource
import secrets
import ssl
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from protocol.certificates import realm_of
from protocol.framing import FrameReader, encode_frame
from protocol.identity import UserId
from protocol.limits import LOCATOR_REPLY_FRAME
from protocol.locator_messages import (
    ALPN,
    LOCATOR,
    Endpoint,
    KeepAlive,
    LoggedIn,
    LogIn,
    LogInByKey,
    Welcome,
    login_challenge,
)
from protocol.registry import Message
from protocol.signatures import Purpose, SigningKey

AT_ONCE = 400
FIRST_ADDRESS = 10
"""A flood comes from 127.0.0.10 and up."""
SIT_SECONDS = 0.3
GIVE_UP_SECONDS = 5.0
PEER_WAITS = (0.25, 0.5)
"""A peer's first wait before it comes back, with its jitter."""


def user_of(number: int) -> UserId:
    return UserId(f"device-{number}")


def key_of(number: int) -> SigningKey:
    return SigningKey(hashlib.sha256(b"device %d" % number).digest())


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    return context


class Visitor:
    """One connection of a crowd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._frames = FrameReader(LOCATOR_REPLY_FRAME)
        self._messages: list[Message | None] = []

    async def hear(self) -> Message | None:
        while not self._messages:
            data = await self._reader.read(65536)
            if not data:
                raise ConnectionResetError
            self._messages = [LOCATOR.decode(frame) for frame in self._frames.receive(data)]
        return self._messages.pop(0)

    async def until_hung_up(self) -> None:
        while await self._reader.read(65536):
            pass


async def connect(port: int, address: str, *, tls: bool = True) -> Visitor:
    context = _CONTEXT if tls else None
    return Visitor(*await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address, 0)))


_CONTEXT = _context()


# --- floods --------------------------------------------------------------------------------------


async def _sit(port: int, address: str) -> str:
    """Connect and say nothing."""
    visitor = await connect(port, address, tls=False)
    await asyncio.sleep(SIT_SECONDS)
    visitor.writer.transport.abort()
    return "sat"


async def _sit_after_handshake(port: int, address: str) -> str:
    visitor = await connect(port, address)
    await asyncio.sleep(SIT_SECONDS)
    visitor.writer.transport.abort()
    return "sat"


async def _garbage(port: int, address: str) -> str:
    visitor = await connect(port, address, tls=False)
    visitor.writer.write(secrets.token_bytes(20_000))
    await visitor.until_hung_up()
    return "hung up on"


async def _sealed_garbage(port: int, address: str) -> str:
    visitor = await connect(port, address)
    visitor.writer.write(encode_frame(0x0107, b"\x91" * 8_000) + secrets.token_bytes(20_000))
    await visitor.until_hung_up()
    return "hung up on"


async def _half_frames(port: int, address: str) -> str:
    visitor = await connect(port, address)
    visitor.writer.write((8_000).to_bytes(4, "big") + b"\x01\x07" + bytes(7_000))
    await asyncio.sleep(SIT_SECONDS)
    visitor.writer.transport.abort()
    return "sat"


async def _chatter(port: int, address: str) -> str:
    visitor = await connect(port, address)
    visitor.writer.write(LOCATOR.encode(KeepAlive(1)) * 2_000)
    await visitor.until_hung_up()
    return "hung up on"


async def _guess(port: int, address: str) -> str:
    visitor = await connect(port, address)
    await visitor.hear()
    key = key_of(0).public
    for tag in range(3):
        guess = LogIn(tag, UserId(f"guessed-{secrets.token_hex(4)}"), "guess", key, Endpoint(0, 0))
        visitor.writer.write(LOCATOR.encode(guess))
    answer = await visitor.hear()
    visitor.writer.transport.abort()
    return str(getattr(answer, "code", answer))


FLOODS: dict[str, Callable[[int, str], Awaitable[str]]] = {
    "sit": _sit,
    "sit-after-handshake": _sit_after_handshake,
    "garbage": _garbage,
    "sealed-garbage": _sealed_garbage,
    "half-frames": _half_frames,
    "chatter": _chatter,
    "guess": _guess,
}


async def flood(kinds: list[str], port: int, how_many: int, addresses: Iterator[str]) -> Counter[str]:
    """Send so many connections, each of the next kind; return what became of them."""
    became: Counter[str] = Counter()
    free = asyncio.Semaphore(AT_ONCE)

    async def one(kind: str, address: str) -> None:
        async with free:
            try:
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    became[f"{kind}: {await FLOODS[kind](port, address)}"] += 1
            except (OSError, TimeoutError) as error:
                became[f"{kind}: {type(error).__name__}"] += 1

    every_kind = itertools.cycle(kinds)
    await asyncio.gather(*(one(next(every_kind), next(addresses)) for _ in range(how_many)))
    return became


# --- devices that come back ----------------------------------------------------------------------


async def returning(port: int, how_many: int) -> None:
    """Keep so many devices logged in, until standard input ends."""
    missing = set(range(how_many))
    everybody_in = asyncio.Event()

    async def stay(number: int) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    visitor = await _log_in(port, number)
                missing.discard(number)
                if not missing:
                    everybody_in.set()
                with contextlib.suppress(OSError):
                    await visitor.until_hung_up()
                visitor.writer.transport.abort()
                missing.add(number)
            await asyncio.sleep(random.uniform(*PEER_WAITS))

    async with asyncio.TaskGroup() as group:
        staying = [group.create_task(stay(number)) for number in range(how_many)]
        while True:
            await everybody_in.wait()
            everybody_in.clear()
            print("everybody is in", flush=True)
            if not await asyncio.to_thread(sys.stdin.readline):
                break
        for task in staying:
            task.cancel()


async def _log_in(port: int, number: int) -> Visitor:
    visitor = await connect(port, "127.0.0.1")
    try:
        welcome = await visitor.hear()
        assert isinstance(welcome, Welcome)
        certificate = visitor.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        key, user = key_of(number), user_of(number)
        challenge = login_challenge(welcome.nonce, certificate, user)
        signature = key.sign(Purpose.LOGIN, realm_of(welcome.authority), challenge)
        visitor.writer.write(LOCATOR.encode(LogInByKey(1, user, key.public, signature, 1, False, Endpoint(7500, 0))))
        answer = await visitor.hear()
        assert isinstance(answer, LoggedIn), answer
    except BaseException:
        visitor.writer.transport.abort()
        raise
    return visitor


def main(kind: str, port: str, how_many: str, addresses: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if kind == "returning":
        asyncio.run(returning(int(port), int(how_many)))
        return
    kinds = [each for each in FLOODS if each != "guess"] if kind == "everything" else [kind]
    every_address = itertools.cycle(f"127.0.0.{FIRST_ADDRESS + n}" for n in range(int(addresses)))
    began = time.monotonic()
    became = asyncio.run(flood(kinds, int(port), int(how_many), every_address))
    print(json.dumps({**became, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main(*sys.argv[1:])

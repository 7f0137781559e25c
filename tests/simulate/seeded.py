"""Takes chance, and what is slow and decides nothing, out of the programs: a run depends on its seed alone.

What is left out, and why: TLS (its records are random, and who is at the other end is told by the wire instead; the
certificates are real and are read as always), and the cost of argon2 (it is the same function with little work).
Everything else is the code that users run.
"""

import asyncio
import contextlib
import itertools
import os
import random
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import patch

from argon2 import PasswordHasher

import locator.accounts
import locator.server
import peer.limits
from locator.connection import Connection
from locator.orders import Caller
from peer.accounts.accounts import AccountFolder
from peer.accounts.identity_vault import IdentityVault
from peer.links.link import Link
from protocol.link_messages import ALPN
from tests.harness.virtual_time import Clock
from tests.simulate.process import current_process


@dataclass(frozen=True)
class PlainContext:
    """What the wire needs to know where TLS would have keys."""

    certificate: bytes
    alpn: str


def _plain_context(
    vault: IdentityVault,
    *,
    certificate: bytes,
    authority: bytes,
    is_server: bool,
    alpn: str = ALPN,
) -> ssl.SSLContext:
    return cast("ssl.SSLContext", PlainContext(certificate, alpn))


_lock = AccountFolder.lock


def _lock_for_a_life(folder: AccountFolder) -> None:
    """Lock as always; a killed process gives its locks back, as the system would see to."""
    _lock(folder)
    current_process().at_end.append(folder.unlock)


_numbers = itertools.count(1)


def _hash_by_order(thing: object) -> int:
    """Give things a hash by the order in which they are first put into a set, not by where they lie in memory."""
    number = _hashes.get(id(thing))
    if number is None:
        number = next(_numbers)
        _hashes[id(thing)] = number
        _kept.append(thing)  # so that nothing else ever lies there
    return number


_hashes: dict[int, int] = {}
_kept: list[object] = []


@contextlib.contextmanager
def seeded(chance: random.Random) -> Iterator[None]:
    """Let every secret, key and salt come from `chance`, and the locator's clocks be the loop's."""

    def bytes_of(count: int | None = None) -> bytes:
        return chance.randbytes(32 if count is None else count)

    changes: list[tuple[Any, str, Any]] = [
        (secrets, "token_bytes", bytes_of),
        (os, "urandom", bytes_of),
        (peer.limits, "VAULT_MEMORY_KIB", 8),
        (peer.limits, "VAULT_ROUNDS", 1),
        (locator.accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        (IdentityVault, "link_context", _plain_context),
        (AccountFolder, "lock", _lock_for_a_life),
        *((kind, "__hash__", _hash_by_order) for kind in (Caller, Connection, Link)),
        (locator.server, "_monotonic", lambda: asyncio.get_running_loop().time()),
        (locator.server, "_wall", lambda: Clock(asyncio.get_running_loop())().timestamp()),
    ]
    with contextlib.ExitStack() as stack:
        for where, name, instead in changes:
            stack.enter_context(patch.object(where, name, instead))
        yield

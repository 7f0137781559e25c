"""What lets a person stay signed in: a key that opens the vault, kept in the system's keyring or in a file.

The secrets lie sealed in the account's folder, the key to them lies elsewhere: each is worth nothing without the
other, so removing the sealed file ends it even where the keyring does not answer. The password is never kept.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TypeVar

import msgspec

from peer import limits
from peer.accounts.accounts import AccountFolder
from peer.accounts.identity_vault import IdentityVault
from peer.errors import Refusal
from peer.private_files import write_private_file
from peer.views import SecretPlace
from protocol.identity import Realm, UserId
from protocol.sealing import KEY_BYTES

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_SERVICE = "hail"


class KeyringFailedError(Exception):
    """The system's keyring refused, is not there, or gave no answer in time."""


class _Stay(msgspec.Struct, frozen=True):
    """The file beside the vault: its secrets, sealed with the kept key."""

    place: SecretPlace
    name: str
    """Under which name the keyring has the key: another one each time, so nothing old fits."""
    sealed: bytes


class SecretKeeper:
    """Keeps, finds and forgets the key. Its answers never wait longer than `limits.KEYRING_SECONDS` for a keyring."""

    def __init__(self, worker: Callable[[str], Executor]) -> None:
        """`worker` makes a thread that may be abandoned: a keyring may wait for ever."""
        self._worker = worker
        self._last: Future[object] | None = None
        self._hangs = False
        """Whether the last question was given up on."""

    async def place(self) -> SecretPlace:
        """Tell where a key would be kept now."""
        try:
            is_there = await self._ask(_has_keyring)
        except KeyringFailedError as error:
            log.info("no keyring: %s", error)
            is_there = False
        return SecretPlace.KEYRING if is_there else SecretPlace.FILE

    async def keep(self, folder: AccountFolder, vault: IdentityVault) -> SecretPlace:
        """Keep a fresh key to this vault, in the place of any former one; return where it went. Raises OSError."""
        await self.forget(folder)
        key, name = secrets.token_bytes(KEY_BYTES), f"{folder.path.name} {secrets.token_hex(8)}"
        place = await self.place()
        if place is SecretPlace.KEYRING:
            try:
                await self._ask(lambda: _put(name, key.hex()))
            except KeyringFailedError as error:
                log.info("the keyring did not take the key: %s", error)
                # The keyring may still do late what it was asked to: that key must open nothing.
                place, key = SecretPlace.FILE, secrets.token_bytes(KEY_BYTES)
        if place is SecretPlace.FILE:
            write_private_file(folder.stay_key, key.hex().encode())
        write_private_file(folder.stay, msgspec.msgpack.encode(_Stay(place, name, vault.sealed_with_key(key))))
        return place

    async def open(self, folder: AccountFolder, realm: Realm, user: UserId) -> IdentityVault | None:
        """Open the vault without a password; None if it was not told to, or cannot. What does not fit is forgotten."""
        stay = _read(folder.stay)
        if stay is None:
            await self.forget(folder)
            return None
        try:
            key = await self._key_of(folder, stay)
        except KeyringFailedError as error:
            log.info("the keyring did not give the key: %s", error)
            return None  # it may the next time
        with contextlib.suppress(Refusal):
            if key is not None:
                return IdentityVault.unlock_with_key(folder.vault, stay.sealed, key, realm, user)
        log.info("the kept key does not fit; the password is needed")
        await self.forget(folder)
        return None

    async def forget(self, folder: AccountFolder) -> None:
        """Keep nothing more of this account: from here on only the password opens it."""
        stay = _read(folder.stay)
        folder.stay.unlink(missing_ok=True)
        folder.stay_key.unlink(missing_ok=True)
        if stay is not None and stay.place is SecretPlace.KEYRING:
            try:
                await self._ask(lambda: _delete(stay.name))
            except KeyringFailedError as error:
                log.info("the keyring did not remove the key, which opens nothing any more: %s", error)

    async def _key_of(self, folder: AccountFolder, stay: _Stay) -> bytes | None:
        try:
            if stay.place is SecretPlace.KEYRING:
                text = await self._ask(lambda: _get(stay.name))
            else:
                text = folder.stay_key.read_text("ascii")
            return bytes.fromhex(text or "")
        except (ValueError, OSError) as error:
            log.info("no key where it was kept: %s", type(error).__name__)
            return None

    async def _ask(self, job: Callable[[], Result]) -> Result:
        """Ask the keyring something, one at a time; raise KeyringFailedError, at once while an earlier one hangs."""
        if self._hangs and self._last is not None and not self._last.done():
            raise KeyringFailedError("it still does not answer")
        self._hangs = False
        try:
            async with asyncio.timeout(limits.KEYRING_SECONDS):
                while self._last is not None and not self._last.done():
                    await asyncio.wait({asyncio.wrap_future(self._last)})
                asked = self._worker("keyring").submit(job)
                self._last = asked  # type: ignore[assignment]  # only whether it is done matters
                return await asyncio.wrap_future(asked)
        except TimeoutError as error:
            self._hangs = True
            raise KeyringFailedError("it does not answer") from error
        except Exception as error:  # the edge to a foreign library, whose back ends raise anything
            raise KeyringFailedError(type(error).__name__) from error


def _read(path: Path) -> _Stay | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Stay)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


# --- the system's keyring; on a thread of its own ----------------------------------------------


def _has_keyring() -> bool:
    import keyring

    # Below 1 are those that the library itself does not recommend: none at all, or a plain file.
    return keyring.get_keyring().priority >= 1


def _put(name: str, key: str) -> None:
    import keyring

    keyring.set_password(_SERVICE, name, key)


def _get(name: str) -> str | None:
    import keyring

    return keyring.get_password(_SERVICE, name)


def _delete(name: str) -> None:
    import keyring

    keyring.delete_password(_SERVICE, name)

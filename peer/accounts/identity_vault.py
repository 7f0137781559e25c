"""The device's private key and the profile's database key: sealed by the password, never handed out.

Others get signatures, `SSLContext`s, and the database already opened.
"""

import asyncio
import contextlib
import os
import secrets
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Annotated

import msgspec
from argon2.low_level import Type, hash_secret_raw
from msgspec import Meta

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.private_files import write_private_file
from peer.storage.database import Database
from protocol.certificates import VERIFY_FLAGS_WITHOUT_DATES, to_pem
from protocol.identity import DeviceId, PublicKey, Realm, UserId
from protocol.link_messages import ALPN
from protocol.sealing import KEY_BYTES, NONCE_BYTES, open_sealed, seal
from protocol.signatures import SigningKey

_VERSION = 1
_SALT_BYTES = 16
_STAYING = b"stay signed in 1\0"


class _Secrets(msgspec.Struct, frozen=True, array_like=True):
    seed: bytes
    database_key: bytes


class _SealedVault(msgspec.Struct, frozen=True):
    version: int
    salt: Annotated[bytes, Meta(min_length=_SALT_BYTES, max_length=_SALT_BYTES)]
    memory_kib: Annotated[int, Meta(ge=8, le=limits.VAULT_MEMORY_KIB_TAKEN)]
    rounds: Annotated[int, Meta(ge=1, le=limits.VAULT_ROUNDS_TAKEN)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    sealed: bytes
    device_key: bytes = b""
    """The public key, in clear: a sign-in with a password that does not open the vault can name its device."""


class IdentityVault:
    """One account's secrets, opened."""

    def __init__(self, path: Path, beside: bytes, opened: _Secrets, *, is_from_coming: bool = False) -> None:
        """Use `fresh` or `unlock`."""
        self._is_from_coming = is_from_coming
        self._path = path
        self._beside = beside
        self._secrets = opened
        self.signing_key = SigningKey(opened.seed)

    @classmethod
    def fresh(cls, path: Path, realm: Realm, user: UserId) -> "IdentityVault":
        """Make a new device: fresh keys, in memory only until `seal_with`."""
        keys = _Secrets(seed=secrets.token_bytes(32), database_key=secrets.token_bytes(KEY_BYTES))
        return cls(path, _bound_to(realm, user), keys)

    @classmethod
    async def unlock(cls, path: Path, password: str, realm: Realm, user: UserId, executor: Executor) -> "IdentityVault":
        """Open a profile's vault; raise Refusal `vault_locked` for another password, `damaged_database` for junk."""
        loop = asyncio.get_running_loop()
        beside = _bound_to(realm, user)
        try:
            opened = await loop.run_in_executor(executor, _unseal, path, password, beside)
        except Refusal:
            # A change of the password may have been cut off: which of the two holds only the locator knows.
            if not _coming(path).exists():
                raise
            opened = await loop.run_in_executor(executor, _unseal, _coming(path), password, beside)
            return cls(path, beside, opened, is_from_coming=True)
        return cls(path, beside, opened)

    @classmethod
    def unlock_with_key(cls, path: Path, sealed: bytes, key: bytes, realm: Realm, user: UserId) -> "IdentityVault":
        """Open what `sealed_with_key` gave; raise Refusal `vault_locked` when it is not of this key or this account."""
        beside = _bound_to(realm, user)
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        opened = open_sealed(key, nonce, rest, _STAYING + beside) if len(key) == KEY_BYTES and rest else None
        if opened is None:
            raise Refusal(RefusalCode.VAULT_LOCKED, "The kept key does not open this profile.")
        return cls(path, beside, msgspec.msgpack.decode(opened, type=_Secrets))

    @staticmethod
    def public_key_in(path: Path) -> PublicKey | None:
        """Return the public key of a vault that need not be opened; None where the file does not tell."""
        try:
            return PublicKey(msgspec.msgpack.decode(path.read_bytes(), type=_SealedVault).device_key)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            return None

    def sealed_with_key(self, key: bytes) -> bytes:
        """Return the secrets sealed once more, with a key instead of the password: for staying signed in."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + seal(key, nonce, msgspec.msgpack.encode(self._secrets), _STAYING + self._beside)

    def settle(self) -> None:
        """The locator took the password that opened this vault: an unfinished change of it is over."""
        if self._is_from_coming:
            _coming(self._path).replace(self._path)
            self._is_from_coming = False
        else:
            _coming(self._path).unlink(missing_ok=True)

    async def seal_with(self, password: str, executor: Executor) -> None:
        """Write the vault, sealed with this password, in the place of the old file."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(executor, _seal, self._path, password, self._secrets, self._beside)

    async def change_password(self, new: str, agree: Callable[[], Awaitable[None]], executor: Executor) -> None:
        """Seal the vault with a new password, if `agree` (the locator's part) does not raise.

        The new vault is on the disk before anybody agrees, so at every moment one of the two opens.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(executor, _seal, _coming(self._path), new, self._secrets, self._beside)
        try:
            await agree()
        except Refusal as refusal:
            if refusal.code is not RefusalCode.LOCATOR_UNREACHABLE:
                _coming(self._path).unlink(missing_ok=True)
            raise
        self._is_from_coming = True
        self.settle()

    @property
    def device(self) -> DeviceId:
        """This device's name."""
        return self.signing_key.device

    @property
    def public_key(self) -> PublicKey:
        """This device's public key."""
        return self.signing_key.public

    async def open_database(self, database: Database) -> None:
        """Open the account's database; its key goes nowhere else."""
        await database.open(self._secrets.database_key)

    def link_context(
        self, *, certificate: bytes, authority: bytes, is_server: bool, alpn: str = ALPN
    ) -> ssl.SSLContext:
        """Return a context for mutual TLS 1.3 with peers under one authority (both DER), with this device's key.

        Dates are not judged here (`protocol.certificates`), names neither: the role is checked after the handshake.
        """
        purpose = ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(purpose)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags(VERIFY_FLAGS_WITHOUT_DATES)
        context.load_verify_locations(cadata=to_pem(authority))
        if is_server:
            context.num_tickets = 0
        context.set_alpn_protocols([alpn])
        self._load_key(context, certificate)
        return context

    def _load_key(self, context: ssl.SSLContext, certificate: bytes) -> None:
        # Python's ssl reads keys from files only: the key lies there sealed, for a moment, for this user alone.
        passphrase = secrets.token_hex(32)
        descriptor, name = tempfile.mkstemp(prefix="hail-", suffix=".pem")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.signing_key.pem(passphrase.encode()) + to_pem(certificate).encode())
            context.load_cert_chain(name, password=passphrase)
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()


def _coming(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _bound_to(realm: Realm, user: UserId) -> bytes:
    return b"hail vault 1\0" + realm + user.encode()


def _password_key(password: str, salt: bytes, memory_kib: int, rounds: int) -> bytes:
    return hash_secret_raw(
        password.encode(),
        salt,
        time_cost=rounds,
        memory_cost=memory_kib,
        parallelism=1,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )


def _seal(path: Path, password: str, opened: _Secrets, beside: bytes) -> None:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    key = _password_key(password, salt, limits.VAULT_MEMORY_KIB, limits.VAULT_ROUNDS)
    sealed = seal(key, nonce, msgspec.msgpack.encode(opened), beside)
    public = bytes(SigningKey(opened.seed).public)
    vault = _SealedVault(_VERSION, salt, limits.VAULT_MEMORY_KIB, limits.VAULT_ROUNDS, nonce, sealed, public)
    write_private_file(path, msgspec.msgpack.encode(vault))


def _unseal(path: Path, password: str, beside: bytes) -> _Secrets:
    try:
        vault = msgspec.msgpack.decode(path.read_bytes(), type=_SealedVault)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(
            RefusalCode.DAMAGED_DATABASE,
            "This profile's key file is damaged. Restore it from a backup, or use another profile folder.",
        ) from error
    key = _password_key(password, vault.salt, vault.memory_kib, vault.rounds)
    opened = open_sealed(key, vault.nonce, vault.sealed, beside)
    if opened is None:
        raise Refusal(RefusalCode.VAULT_LOCKED, "This profile is locked with another password.")
    return msgspec.msgpack.decode(opened, type=_Secrets)

"""The profile folder: one sub-folder per account, whom we trust at which address, and who was here last."""

import contextlib
import hashlib
import sys
import uuid
from pathlib import Path
from typing import IO

import msgspec

from peer.errors import Refusal, RefusalCode
from peer.private_files import lock_file, write_private_file
from peer.views import AccountView
from protocol.identity import Realm, UserId


class _Profile(msgspec.Struct):
    pinned: dict[str, str] = {}
    """host:port → fingerprint of the authority first seen there."""
    last: AccountView | None = None
    others: dict[str, tuple[str, ...]] = {}
    """host:port → the locators that are one with it, as it last told."""


class Profile:
    """One person's folder. Several nodes may share it, as long as they open different accounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "profile.json"

    def last_account(self) -> AccountView | None:
        """Return the account that was signed in last."""
        return self._read().last

    def pinned_realm(self, place: str) -> Realm | None:
        """Return the authority first seen at `host:port`."""
        fingerprint = self._read().pinned.get(place)
        try:
            return Realm.from_hex(fingerprint) if fingerprint else None
        except ValueError as error:
            raise _unreadable(error) from error

    def remember(self, place: str, realm: Realm, account: AccountView) -> None:
        """Pin the authority of an address, and remember who signed in."""
        known = self._read()
        known.pinned[place] = realm.hex()
        known.last = account
        self._write(known)

    def other_places(self, place: str) -> tuple[str, ...]:
        """Return the locators that are one with the one at `host:port`."""
        return self._read().others.get(place, ())

    def remember_others(self, place: str, others: tuple[str, ...]) -> None:
        """Keep which locators are one with the one at `host:port`."""
        known = self._read()
        known.others[place] = others
        self._write(known)

    def account(self, realm: Realm, user: UserId) -> "AccountFolder":
        """Return where an account is, or would be."""
        return AccountFolder(self.folder / "accounts" / f"{realm.hex()}-{user}")

    def _write(self, known: _Profile) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_file(self._file, msgspec.json.format(msgspec.json.encode(known, enc_hook=str)))

    def _read(self) -> _Profile:
        try:
            return msgspec.json.decode(
                self._file.read_bytes(), type=_Profile, dec_hook=lambda wanted, value: wanted(value)
            )
        except FileNotFoundError:
            return _Profile()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OSError) as error:
            raise _unreadable(error) from error


def _unreadable(error: Exception) -> Refusal:
    return Refusal(
        RefusalCode.DAMAGED_DATABASE,
        f"The file profile.json of this profile cannot be read ({type(error).__name__}). Restore or remove it.",
    )


class AccountFolder:
    """One account's files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    @property
    def vault(self) -> Path:
        """The sealed keys."""
        return self.path / "vault"

    @property
    def database(self) -> Path:
        """Everything else."""
        return self.path / "hail.db"

    @property
    def pictures(self) -> Path:
        """Cleaned copies of pictures, which can be made again."""
        return self.path / "pictures"

    @property
    def stay(self) -> Path:
        """The keys sealed once more, for somebody who stays signed in."""
        return self.path / "stay"

    @property
    def stay_key(self) -> Path:
        """The key to `stay`, where no keyring has it."""
        return self.path / "stay.key"

    @property
    def sent(self) -> Path:
        """Copies of what was sent from here."""
        return self.path / "sent"

    @property
    def recordings(self) -> Path:
        """Voice messages that were not sent yet."""
        return self.path / "recordings"

    def has_namesake(self) -> bool:
        """Whether somebody of the same ID, of another locator, was here before."""
        mine = self.path.name.partition("-")[2]
        return any(
            path.name.partition("-")[2] == mine and path.name != self.path.name for path in self.path.parent.iterdir()
        )

    @property
    def exists(self) -> bool:
        """Whether this account was ever signed in here."""
        return self.vault.exists()

    def lock(self) -> None:
        """Open the account for this process alone; raise Refusal `profile_in_use`. Released by `unlock` or death."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (self.path / "lock").open("ab")
        try:
            lock_file(file)
        except OSError as error:
            file.close()
            raise Refusal(
                RefusalCode.PROFILE_IN_USE,
                "This account is open in another window or program. Close that one first, or use it.",
            ) from error
        self._lock = file

    def unlock(self) -> None:
        """Let others open it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def clear_leftovers(self) -> None:
        """Remove the database of a first sign-in that never got as far as its vault: nobody has its key."""
        for suffix in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)

    def discard_if_empty(self) -> None:
        """Leave no trace of a sign-in that was refused."""
        if not self.exists:
            self.clear_leftovers()
            with contextlib.suppress(OSError):
                (self.path / "lock").unlink()
                self.path.rmdir()

    def set_aside(self) -> Path:
        """Move the locked folder out of the way, and lock a new, empty one; return where the old one is now."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.old-{number}")).exists():
            number += 1
        self.unlock()
        self.path.rename(aside)
        self.lock()
        return aside

    def home_mark(self) -> bytes:
        """Return what changes when the account's files are copied or restored elsewhere: machine, place, inode."""
        status = self.database.stat()
        place = (
            f"{_machine()}\0{self.path.resolve()}\0{status.st_ino}\0{status.st_dev if sys.platform == 'win32' else ''}"
        )
        return hashlib.sha256(place.encode()).digest()


def _machine() -> str:
    with contextlib.suppress(OSError):
        return Path("/etc/machine-id").read_text("ascii").strip()
    return f"{uuid.getnode():x}"

"""Opens what a locator needs to know people: the authority, and the accounts, its own or those that several share."""

import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from locator.authority import FILE_NAME, Authority
from locator.configuration import ConfigurationError, Place, Settings
from locator.data_folder import DataFolder
from locator.stores.interface import Store, StoreFailedError
from locator.stores.memory_and_sqlite import MemoryAndSqlite
from locator.stores.redis_address import RedisAddress
from protocol.errors import RefusalCode

if TYPE_CHECKING:
    from locator.stores.redis_link import RedisLink

log = logging.getLogger(__name__)


async def open_store(settings: Settings, folder: DataFolder, place: Place) -> tuple[Authority, Store]:
    """Return the authority and the store; raise StoreFailedError.

    `place` is where this locator's users reach it.
    """
    file = settings.authority or folder.path / FILE_NAME
    if settings.store is None:
        return _open_authority(file, folder), MemoryAndSqlite(folder.path)
    require_client_library()
    from locator.stores.redis import RedisStore
    from locator.stores.redis_link import RedisLink

    node = secrets.token_hex(8)
    link = RedisLink(settings.store, node)
    try:
        authority = await _join(link, settings.store, file, folder)
        store = RedisStore(link, node, str(place))
        await store.start()
    except BaseException:
        await link.close()
        raise
    return authority, store


def check_settings(settings: Settings) -> None:
    """Raise ConfigurationError for a shared store without its authority, before anything is touched."""
    if settings.store is not None and settings.authority is None:
        sentence = "Locators that share a store need the same authority: give its key to each with --authority FILE."
        raise ConfigurationError(sentence)


def require_client_library() -> None:
    """Raise StoreFailedError where the library for Redis is not installed: a single locator needs none."""
    try:
        import redis  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        raise _failed("A shared store needs the client library for Redis: pip install 'hail[redis]'.") from None


async def _join(link: "RedisLink", address: RedisAddress, file: Path, folder: DataFolder) -> Authority:
    """Make sure that Redis holds this authority's accounts, and the ones it held before; or begin there."""
    mark, known = await link.mark(), folder.kept_shared_store()
    if not mark and known:
        raise _failed(
            f"The {address} is empty, but the accounts of this locator were in it. Put back its backup; to begin anew "
            f"without them, give another --data than {folder.path}."
        )
    authority = _open_authority(file, folder, is_shared=bool(mark))
    if not mark:
        log.info("the %s is empty: its first accounts will be made here", address)
        mark = await link.found(f"{authority.realm.hex()} {secrets.token_hex(8)}")
    if mark.partition(" ")[0] != authority.realm.hex():
        raise _failed(f"The {address} belongs to another authority than {file}. Give that key, or another --store.")
    if known and known != mark:
        raise _failed(
            f"The {address} was emptied and begun anew since this locator was part of it. Put back its backup; to join "
            f"it as it is, give another --data than {folder.path}."
        )
    folder.keep_shared_store(mark)
    link.expect(mark)
    if await link.survives_power_cuts() is False:
        log.warning("the %s forgets its accounts when it ends: turn on its append-only file (appendonly yes)", address)
    return authority


def _open_authority(file: Path, folder: DataFolder, *, is_shared: bool = False) -> Authority:
    """Return the authority; a new one only where none ever served, for nobody's program would take it instead."""
    if is_shared and not file.exists():
        raise _failed(f"The authority's key {file} is not there. Copy it from another locator that shares this store.")
    if not file.exists() and folder.kept_link() is not None:
        raise _failed(
            f"The authority's key {file} is not there, and a locator served from {folder.path} before. "
            "Put a copy of its key there; to begin anew without it, give another --data."
        )
    try:
        return Authority.open_or_create(file, datetime.now(UTC))
    except (OSError, ValueError) as error:
        raise _failed(f"The authority's key {file} cannot be read ({error}); put back a copy of the file.") from None


def _failed(sentence: str) -> StoreFailedError:
    return StoreFailedError(RefusalCode.REFUSED, sentence)

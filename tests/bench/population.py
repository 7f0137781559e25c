"""The people a benchmarked locator has accounts of: as many as asked for, each with a device and its key.

They are written into the accounts' file before the locator starts: this is a locator after a restart, to which
everybody returns.
"""

import asyncio
import hashlib
from functools import cache
from pathlib import Path

from locator.accounts import hash_password
from locator.configuration import Place, read_settings
from locator.course_desk import hash_course_password
from locator.data_folder import DataFolder
from locator.opening_store import open_store
from locator.stores.interface import AddAccount
from locator.stores.memory_and_sqlite import AccountsFile
from protocol.identity import DeviceId, UserId
from protocol.signatures import SigningKey

PASSWORD = "correct horse"
FIRST_SESSION = 1
"""The session that an account with a device begins with."""


def user_of(number: int) -> UserId:
    return UserId(f"student-{number:05}")


def course_user_of(number: int) -> UserId:
    return UserId(f"{2_026_000_000 + number}")


@cache
def key_of(number: int) -> SigningKey:
    return SigningKey(hashlib.sha256(b"device %d" % number).digest())


def port_of(number: int) -> int:
    """Where this person's peer says that it listens: each its own, so that a mixed-up answer is noticed."""
    return 20_000 + number


def settle_people(data: Path, count: int) -> None:
    """Make the accounts; all have the same password, hashed once."""
    _make(data, _people(count))


def settle_people_in_redis(data: Path, authority: Path, url: str, count: int) -> None:
    """Make the same accounts in a Redis server that locators are to share."""
    asyncio.run(_make_in_redis(data, authority, url, _people(count)))


def settle_course(data: Path, count: int) -> None:
    """Make accounts that may begin on the course port, with a password there, hashed once."""
    password_hash, course_hash = hash_password(PASSWORD), hash_course_password(PASSWORD)
    _make(
        data,
        [
            AddAccount(course_user_of(number), f"Student {number}", password_hash, None, course_hash)
            for number in range(count)
        ],
    )


def _people(count: int) -> list[AddAccount]:
    password_hash = hash_password(PASSWORD)
    return [
        AddAccount(user_of(number), f"Student {number}", password_hash, DeviceId.of_key(key_of(number).public))
        for number in range(count)
    ]


async def _make_in_redis(data: Path, authority: Path, url: str, accounts: list[AddAccount]) -> None:
    settings = read_settings({"data": str(data), "authority": str(authority), "store": url}, {})
    _, store = await open_store(settings, DataFolder(data), Place("127.0.0.1", 7400))
    try:
        made = await asyncio.gather(*map(store.make, accounts))
    finally:
        await store.close()
    assert None not in made


def _make(data: Path, accounts: list[AddAccount]) -> None:
    data.mkdir(parents=True, exist_ok=True)
    file = AccountsFile(data)
    try:
        made = file.make(accounts)
    finally:
        file.close()
    assert None not in made

"""The people we know: their names, their pinned devices, and the locator's signed lists of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from peer.storage.database import Connection, Row
from protocol.device_lists import SignedDeviceList
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, PublicKey, UserId

_DEVICE = "device, user, key, confirmed, verified, link_order"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person as kept."""

    user: UserId
    name: str
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A pinned device of a person."""

    device: DeviceId
    user: UserId
    key: PublicKey
    confirmed: bool
    verified: bool = False
    """Whether the two people compared safety numbers on this device and ours."""
    link_order: int = 0
    """Highest for the device that was linked last; 0: never linked."""


def all_contacts(connection: Connection) -> list[ContactRow]:
    """Return everybody."""
    return [
        ContactRow(UserId(cast("str", user)), cast("str", name), bool(blocked))
        for user, name, blocked in connection.execute("SELECT user, name, blocked FROM contact")
    ]


def put_name(connection: Connection, user: UserId, name: str) -> None:
    """Store what a person is called, and nothing else of them: it may overtake, or be overtaken."""
    connection.execute(
        "INSERT INTO contact (user, name) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET name = excluded.name",
        (str(user), name),
    )


def put_blocked(connection: Connection, user: UserId, *, blocked: bool) -> None:
    """Store whether a person is blocked, and nothing else of them."""
    connection.execute(
        "INSERT INTO contact (user, name, blocked) VALUES (?, '', ?)"
        " ON CONFLICT (user) DO UPDATE SET blocked = excluded.blocked",
        (str(user), blocked),
    )


def all_devices(connection: Connection) -> list[DeviceRow]:
    """Return every pinned device of everybody."""
    return [_device(row) for row in connection.execute(f"SELECT {_DEVICE} FROM device")]  # noqa: S608 - a constant


def meet_device(connection: Connection, user: UserId, key: PublicKey, now_ms: int) -> DeviceRow:
    """Pin a device. The first of a person is trusted at first sight, a later one waits to be confirmed."""
    device = DeviceId.of_key(key)
    row = connection.execute(
        f"SELECT {_DEVICE} FROM device WHERE device = ?",  # noqa: S608 - a constant
        (bytes(device),),
    ).fetchone()
    if row is not None:
        met = _device(row)
        if met.user != user:
            # Else one key, confirmed under a stranger's name, would pass as a friend's confirmed device.
            raise RemoteProtocolError(f"a device of {met.user} that claims to be one of {user}'s")
        return met
    known = connection.execute("SELECT count(*) FROM device WHERE user = ?", (str(user),)).fetchone()
    confirmed = known == (0,)
    connection.execute(
        "INSERT INTO device (device, user, key, confirmed, first_seen) VALUES (?, ?, ?, ?, ?)",
        (bytes(device), str(user), bytes(key), confirmed, now_ms),
    )
    return DeviceRow(device, user, key, confirmed)


def confirm_devices(connection: Connection, user: UserId, devices: Iterable[DeviceId]) -> None:
    """A person said that these devices are really this user's: what was verified before is to be compared again."""
    connection.execute("UPDATE device SET verified = 0 WHERE user = ?", (str(user),))
    connection.executemany(
        "UPDATE device SET confirmed = 1 WHERE user = ? AND device = ?",
        [(str(user), bytes(device)) for device in devices],
    )


def verify_device(connection: Connection, device: DeviceId) -> None:
    """Two people compared safety numbers: this device is the other's, beyond doubt."""
    connection.execute("UPDATE device SET confirmed = 1, verified = 1 WHERE device = ?", (bytes(device),))


def put_link_order(connection: Connection, device: DeviceId, order: int) -> None:
    """Keep that a device was linked."""
    connection.execute("UPDATE device SET link_order = ? WHERE device = ?", (order, bytes(device)))


def own_devices(connection: Connection) -> set[DeviceId]:
    """Return the devices of this account that its person vouched for and that are valid still."""
    return {DeviceId(cast("bytes", device)) for (device,) in connection.execute("SELECT device FROM own_device")}


def keep_own_devices(connection: Connection, listed: Iterable[DeviceId], *, vouched: bool) -> None:
    """Forget devices of ours that are no longer listed; add the listed ones if the person vouches for them."""
    valid = set(listed)
    kept = valid if vouched else valid & own_devices(connection)
    connection.execute("DELETE FROM own_device")
    connection.executemany("INSERT INTO own_device (device) VALUES (?)", [(bytes(device),) for device in kept])


def device_lists(connection: Connection) -> dict[UserId, SignedDeviceList]:
    """Return the newest signed list seen of each user."""
    rows = connection.execute("SELECT user, payload, signature FROM device_list")
    return {
        UserId(cast("str", user)): SignedDeviceList(cast("bytes", payload), cast("bytes", sig))
        for user, payload, sig in rows
    }


def put_device_list(connection: Connection, user: UserId, number: int, signed: SignedDeviceList) -> None:
    """Keep a list, unless one with a higher number is there."""
    connection.execute(
        "INSERT INTO device_list (user, number, payload, signature) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user) DO UPDATE SET number = excluded.number, payload = excluded.payload,"
        " signature = excluded.signature"
        " WHERE excluded.number > number",
        (str(user), number, signed.payload, signed.signature),
    )


def _device(row: Row) -> DeviceRow:
    device, user, key, confirmed, verified, link_order = row
    return DeviceRow(
        DeviceId(cast("bytes", device)),
        UserId(cast("str", user)),
        PublicKey(cast("bytes", key)),
        bool(confirmed),
        bool(verified),
        cast("int", link_order),
    )

"""What a screen reader sees of the windows: names, roles, places, texts, over AT-SPI on D-Bus."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse, unwrap_msg

_ACCESSIBLE = "org.a11y.atspi.Accessible"
_COMPONENT = "org.a11y.atspi.Component"
_TEXT = "org.a11y.atspi.Text"
_SCREEN = 0
_SHOWING_BIT, _ENABLED_BIT, _FOCUSED_BIT = 25, 8, 12
_CALL_SECONDS = 5.0
NAMES_OF_ROLES = {
    "button": {"push button", "button", "toggle button", "radio button", "page tab", "button menu"},
    "text": {"text", "entry", "password text", "paragraph"},
    "label": {"label", "static"},
    "row": {"list item"},
    "cell": {"tree item", "table cell"},
    "box": {"check box"},
    "box to choose in": {"combo box"},
    "list": {"list"},
    "window": {"frame", "dialog", "window"},
}


@dataclass(frozen=True)
class Thing:
    """One accessible object, as it was when it was looked at."""

    bus_name: str
    path: str
    name: str
    role: str
    x: int
    y: int
    width: int
    height: int
    is_showing: bool
    is_enabled: bool
    is_focused: bool

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


class Reader:
    """Reads the accessibility tree of the programs on the display."""

    def __init__(self) -> None:
        session = open_dbus_connection("SESSION")
        address = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
        (where,) = _ask(session, address, "GetAddress")
        session.close()
        self._bus: DBusConnection = open_dbus_connection(where)

    def close(self) -> None:
        self._bus.close()

    def program(self, process: int) -> str | None:
        """Return the bus name of a process's windows, or None while it has none."""
        for bus_name, path in self._children("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root"):
            with contextlib.suppress(DBusErrorResponse, TimeoutError):
                daemon = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
                (found,) = _ask(self._bus, daemon, "GetConnectionUnixProcessID", "s", (bus_name,))
                if found == process and path:
                    return str(bus_name)
        return None

    def things(self, bus_name: str) -> Iterator[Thing]:
        """Walk everything a program shows, parents first."""
        waiting = [(bus_name, "/org/a11y/atspi/accessible/root")]
        while waiting:
            name, path = waiting.pop(0)
            try:
                thing = self._look_at(name, path)
                children = self._children(name, path)
            except (DBusErrorResponse, TimeoutError):
                continue  # it went away while we looked
            if thing.is_showing or thing.role == "application":
                yield thing
                waiting += children

    def look_again(self, thing: Thing) -> Thing | None:
        """Return how something is now; None if it has gone."""
        try:
            now = self._look_at(thing.bus_name, thing.path)
        except (DBusErrorResponse, TimeoutError):
            return None
        return now if now.is_showing else None

    def text_of(self, thing: Thing) -> str:
        """Return what stands in a text field."""
        address = DBusAddress(thing.path, thing.bus_name, _TEXT)
        (text,) = _ask(self._bus, address, "GetText", "ii", (0, -1))
        return str(text)

    def _look_at(self, bus_name: str, path: str) -> Thing:
        accessible = DBusAddress(path, bus_name, _ACCESSIBLE)
        (role,) = _ask(self._bus, accessible, "GetRoleName")
        (state,) = _ask(self._bus, accessible, "GetState")
        name = unwrap_msg(self._bus.send_and_get_reply(Properties(accessible).get("Name"), timeout=_CALL_SECONDS))[0][1]
        bits = state[0] | state[1] << 32
        extents = (0, 0, 0, 0)
        if role != "application":
            component = DBusAddress(path, bus_name, _COMPONENT)
            with contextlib.suppress(DBusErrorResponse):
                (extents,) = _ask(self._bus, component, "GetExtents", "u", (_SCREEN,))
        shows, enabled, focused = (bool(bits >> bit & 1) for bit in (_SHOWING_BIT, _ENABLED_BIT, _FOCUSED_BIT))
        return Thing(bus_name, path, name, role, *extents, shows, enabled, focused)

    def _children(self, bus_name: str, path: str) -> list[tuple[str, str]]:
        (children,) = _ask(self._bus, DBusAddress(path, bus_name, _ACCESSIBLE), "GetChildren")
        return [(str(name), str(child)) for name, child in children]


def _ask(
    bus: DBusConnection, address: DBusAddress, method: str, signature: str | None = None, body: tuple[Any, ...] = ()
) -> Any:
    message = new_method_call(address, method, signature, body)
    return unwrap_msg(bus.send_and_get_reply(message, timeout=_CALL_SECONDS))


def wait_until_there(reader: Reader, process: int, seconds: float) -> str:
    """Return the bus name of a process once it shows a window."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if name := reader.program(process):
            return name
        time.sleep(0.1)
    raise AssertionError("the window did not come up")

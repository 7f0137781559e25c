"""What tells a person who looks elsewhere: gathered, private where wanted, and never in the way."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QTextDocumentFragment

from peer import events
from peer.views import ConversationId, MessageState
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_message,
    make_session,
)
from ui.main_window.window import MainWindow
from ui.notifications.notifier import Notifier
from ui.notifications.settings import Loudness, NotificationSettings
from ui.notifications.tray import Tray, without_markup
from ui.peer_bridge import PeerBridge

ALICE, BOB = conversation_id("alice"), conversation_id("bob")


class FakeDesktop:
    """A desktop that takes notifications, refuses them, or never answers."""

    def __init__(self, mood: str = "takes") -> None:
        self.mood = mood
        self.shown: list[tuple[str, str, str]] = []
        self.cleared: list[str] = []

    async def show(self, key: str, title: str, text: str) -> bool:
        self.shown.append((key, title, text))
        if self.mood == "hangs":
            import asyncio

            await asyncio.sleep(30)
        return self.mood == "takes"

    async def clear(self, key: str) -> None:
        self.cleared.append(key)


class FakeTray(Tray):
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        super().__init__(None)  # type: ignore[arg-type]  # there is no tray here, so nothing is dressed

    def say(self, title: str, text: str) -> None:
        self.said.append((title, text))


class Room:
    def __init__(self, bridge: PeerBridge, mood: str) -> None:
        self.tray = FakeTray()
        self.in_sight: set[ConversationId | None] = set()
        self.settings = NotificationSettings()
        self.groups: dict[ConversationId, str] = {}
        self.notifier = Notifier(
            bridge, self.settings, self.tray, self.in_sight.__contains__, lambda each: self.groups.get(each, "")
        )
        self.desktop = self.notifier._desktop = FakeDesktop(mood)  # type: ignore[assignment]


@pytest.fixture
def room(bridge: PeerBridge) -> Callable[[str], Room]:
    return lambda mood="takes": Room(bridge, mood)


def arrived(number: int, conversation: ConversationId = ALICE, text: str = "hello"):
    return make_message(number, text, conversation=conversation, state=MessageState.ARRIVED)


def test_one_message_is_told_with_its_text(qtbot, room) -> None:
    here = room("takes")
    here.notifier.messages_arrived([arrived(1, text="hello\n  there")])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    assert here.desktop.shown == [(ALICE.hex(), arrived(1).author_name, "hello there")]


def test_a_message_in_a_group_names_the_group_and_who_wrote_it(qtbot, room) -> None:
    here = room("takes")
    here.groups[BOB] = "Lab 3"
    here.notifier.messages_arrived([arrived(1, BOB)])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    assert here.desktop.shown == [(BOB.hex(), "Lab 3", "Alice: hello")]


def test_many_at_once_make_one_notification_a_conversation(qtbot, room) -> None:
    here = room("takes")
    for number in range(100):
        here.notifier.messages_arrived([arrived(number, ALICE if number % 2 else BOB)])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    assert len(here.desktop.shown) + len(here.tray.said) == 2
    assert here.desktop.shown[0][2] == "50 new messages"


@pytest.mark.parametrize("loudness", [Loudness.FULL, Loudness.PRIVATE])
def test_who_names_us_among_many_is_told(qtbot, room, loudness: Loudness) -> None:
    here = room("takes")
    here.settings.choose(loudness)
    here.groups[BOB] = "Lab 3"
    naming = msgspec.structs.replace(arrived(2, BOB), mentions_me=True)
    here.notifier.messages_arrived([arrived(1, BOB), naming, arrived(3, BOB)])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    said = {Loudness.FULL: ("Lab 3", "Alice named you: hello"), Loudness.PRIVATE: ("Hail", "3 new messages")}
    assert here.desktop.shown == [(BOB.hex(), *said[loudness])]


def test_the_conversation_in_sight_makes_none(qtbot, room) -> None:
    here = room("takes")
    here.in_sight.add(ALICE)
    here.notifier.messages_arrived([arrived(1), arrived(2, BOB)])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    assert [key for key, _, _ in here.desktop.shown] == [BOB.hex()]


def test_what_was_looked_at_meanwhile_makes_none(qtbot, room) -> None:
    here = room("takes")
    here.notifier.messages_arrived([arrived(1), arrived(2, BOB)])
    here.notifier.seen(ALICE)
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    assert [key for key, _, _ in here.desktop.shown] == [BOB.hex()]
    assert here.desktop.cleared == [ALICE.hex()]


def test_a_private_one_says_neither_who_nor_what(qtbot, room) -> None:
    here = room("takes")
    here.settings.choose(Loudness.PRIVATE)
    here.notifier.messages_arrived([arrived(1, text="a secret")])
    here.notifier.asked(make_contact("carol"))
    qtbot.waitUntil(lambda: len(here.desktop.shown) + len(here.tray.said) == 2)
    told = repr((here.desktop.shown, here.tray.said))
    assert "secret" not in told
    assert "Carol" not in told
    assert arrived(1).author_name not in told


def test_none_are_shown_when_none_are_wanted(qtbot, room) -> None:
    here = room("takes")
    here.settings.choose(Loudness.OFF)
    here.notifier.messages_arrived([arrived(1)])
    qtbot.wait(800)
    assert here.desktop.shown == []


def test_a_desktop_that_refuses_leaves_it_to_the_tray(qtbot, room) -> None:
    here = room("refuses")
    here.notifier.messages_arrived([arrived(1)])
    qtbot.waitUntil(lambda: bool(here.tray.said))
    assert here.tray.said == [(arrived(1).author_name, "hello")]


def test_a_desktop_that_hangs_gets_one_question_and_the_tray_the_rest(qtbot, room) -> None:
    here = room("hangs")
    here.notifier.messages_arrived([arrived(1)])
    qtbot.waitUntil(lambda: bool(here.desktop.shown))
    here.notifier.messages_arrived([arrived(2, BOB)])
    qtbot.waitUntil(lambda: len(here.tray.said) == 2, timeout=8000)
    assert len(here.desktop.shown) == 1


def test_a_click_asks_for_the_conversation(qtbot, room) -> None:
    here = room("takes")
    wanted: list[ConversationId] = []
    here.notifier.conversation_wanted.connect(wanted.append)
    here.notifier._clicked.emit(ALICE.hex())
    assert wanted == [ALICE]


@pytest.mark.parametrize("word", ["", "louder", "\x00"])
def test_an_unknown_loudness_is_the_usual_one(word: str) -> None:
    assert NotificationSettings(word).loudness is Loudness.FULL


def test_the_window_tells_of_a_conversation_that_is_not_open(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    window.login.signed_in.emit(make_session())
    desktop = window._notifier._desktop = FakeDesktop()  # type: ignore[assignment]
    qtbot.waitUntil(lambda: bool(node.asked("contacts")) and bool(node.asked("conversations")))
    node.tell(
        events.MessageArrived(arrived(5)),
        events.ConversationChanged(make_conversation("alice", last_entry=arrived(5), unread=1)),
    )
    qtbot.waitUntil(lambda: bool(desktop.shown))


# --- the real library, with a desktop of our own on a bus of our own ------------------------------

_CHILD = """
import asyncio, sys
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return, new_method_call, new_signal
from jeepney.io.asyncio import open_dbus_connection, open_dbus_router
from ui.notifications.desktop import DesktopNotifications

XML = '''<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
<arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/></method>
<method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
<arg type="s" direction="out"/><arg type="s" direction="out"/></method>
<method name="CloseNotification"><arg type="u" direction="in"/></method>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
<signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface></node>'''
NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
told, clicked = [], []

async def desktop(connection):
    while True:
        message = await connection.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        member = message.header.fields[HeaderFields.member]
        if member == "Introspect":
            answer = new_method_return(message, "s", (XML,))
        elif member == "GetCapabilities":
            answer = new_method_return(message, "as", (["body", "actions", "body-markup"],))
        elif member == "GetServerInformation":
            answer = new_method_return(message, "ssss", ("desk", "us", "1", "1.2"))
        elif member == "Notify":
            told.append(message.body[3:5])
            answer = new_method_return(message, "u", (len(told),))
        else:
            answer = new_method_return(message)
        await connection.send(answer)
        if member == "Notify":
            await asyncio.sleep(0.3)  # a person clicks after they have seen it
            where = DBusAddress(PATH, NAME, NAME)
            await connection.send(new_signal(where, "ActionInvoked", "us", (len(told), "default")))

async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)

async def main():
    connection = await open_dbus_connection()
    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    await connection.send(new_method_call(bus, "RequestName", "su", (NAME, 0)))
    serving = asyncio.create_task(desktop(connection))
    notifications = DesktopNotifications(clicked.append)
    assert await notifications.show("key", "Ana", "1 < 2 & <b>no markup</b>")
    await until(lambda: clicked == ["key"])
    assert await notifications.show("key", "Ana", "again")
    await until(lambda: clicked == ["key", "key"])
    serving.cancel()
    assert told == [("Ana", "1 &lt; 2 &amp; &lt;b&gt;no markup&lt;/b&gt;"), ("Ana", "again")], told

asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="needs a session bus of its own")
def test_the_real_desktop_shows_it_and_tells_of_a_click() -> None:
    command = ["dbus-run-session", "--", sys.executable, "-c", _CHILD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


_CHILD_ALONE = """
import asyncio
from ui.notifications.desktop import DesktopNotifications

async def main():
    notifications = DesktopNotifications(print)
    assert not await notifications.show("key", "Ana", "one")
    assert not await notifications.show("key", "Ana", "another")
    await notifications.clear("key")

asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="needs a session bus of its own")
def test_a_bus_without_a_desktop_takes_nothing_and_breaks_nothing() -> None:
    command = ["dbus-run-session", "--", sys.executable, "-c", _CHILD_ALONE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_any_desktop_it_says_so(qtbot, bridge: PeerBridge, monkeypatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/at/all")
    tray = FakeTray()
    parent = QCoreApplication.instance()
    notifier = Notifier(bridge, NotificationSettings(), tray, lambda _: False, lambda _: "", parent)
    notifier.messages_arrived([arrived(1, text="anybody?")])
    qtbot.waitUntil(lambda: tray.said == [(arrived(1).author_name, "anybody?")], timeout=8000)


def test_the_tray_shows_markup_and_lets_nobody_use_it() -> None:
    shown = without_markup("<b>1 < 2 &amp; <img src='http://example.com/'>more</b>")
    assert QTextDocumentFragment.fromHtml(shown).toPlainText() == shown
    assert without_markup("1 & 2") == "1 &\N{WORD JOINER} 2"

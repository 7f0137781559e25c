"""A call on the screen: its window, the bar, the little window, and how it ends."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QSlider, QWidget

from peer import events
from peer.call_views import CallDevicesView, CallEnd, CallLevel, CallLevelsView, CallState, CallView
from peer.errors import RefusalCode
from peer.views import AudioChoice, AudioDevices, Consent, Tone, UserId, VoiceFile
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_call_view,
    make_caller,
    make_contact,
    make_conversation,
    make_group,
    make_session,
    refuse,
)
from ui.calls import call_window, notice_lines
from ui.calls.call_actions import CallActions
from ui.calls.call_clock import CallClock
from ui.calls.call_window import CallWindow
from ui.calls.person_tile import best_columns
from ui.calls.volume_popup import VolumePopup
from ui.calls.why_not import why_not
from ui.contacts.confirm_dialog import ConfirmDialog
from ui.main_window.window import MainWindow
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.theme.tokens import CALL
from ui.transfers.voice_recorder import Recording
from ui.translations import calls as words

ALICE = conversation_id("alice")
HEADSETS = CallDevicesView(
    AudioChoice("Headset", ""), AudioDevices(("Built-in", "Headset"), ("Built-in", "TV & more"), "Built-in", "Built-in")
)
replace = msgspec.structs.replace
Tell = Callable[[type[events.Event], CallView], None]


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    """Signed in, in the conversation with Alice."""
    node.talks = [make_conversation("alice"), make_conversation("bob")]
    node.people = [make_contact("alice"), make_contact("bob")]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    qtbot.waitUntil(lambda: window._state.contacts.contact("alice") is not None)
    window.chat.open(window._state.conversations.conversation(ALICE))
    return window


@pytest.fixture
def tell(qtbot, talking: MainWindow, node: ScriptedNode) -> Tell:
    """Let something happen to a call, and wait until the window knows."""

    def tell(event: type[events.Event], call: CallView) -> None:
        with qtbot.waitSignal(talking._state.calls.changed):
            node.calls.tell(event, call)

    return tell


@pytest.fixture
def alone(qtbot, bridge: PeerBridge) -> CallWindow:
    """The window of a call, without the program around it."""
    window = CallWindow(Theme(CALL), CallActions(bridge))
    qtbot.addWidget(window)
    window.show()
    return window


def active(**changes) -> CallView:
    return make_call_view(CallState.ACTIVE, **changes)


def over(call: CallView, reason: CallEnd) -> CallView:
    return replace(call, state=CallState.ENDED, reason=reason)


def part(window: QWidget | None, name: str) -> QWidget:
    assert window is not None
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def text(window: QWidget | None, name: str) -> str:
    label = part(window, name)
    assert isinstance(label, QLabel)
    return label.text()


def press(qtbot, window: QWidget | None, name: str) -> None:
    button = part(window, name)
    assert isinstance(button, QAbstractButton)
    assert button.isVisible(), name
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def call_of(talking: MainWindow) -> CallWindow:
    assert talking.calls.window is not None
    return talking.calls.window


def asked(qtbot, node: ScriptedNode, name: str, *what) -> None:
    qtbot.waitUntil(lambda: what in node.asked(name))


# --- from the first click to the end -----------------------------------------------------------------


def test_a_click_calls_and_the_window_says_how_far_it_is(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    press(qtbot, talking, "conversation.call")
    asked(qtbot, node, "start", ALICE)
    qtbot.waitUntil(lambda: talking.calls.window is not None)
    window = call_of(talking)
    assert window.isVisible()
    assert (text(window, "call.title"), text(window, "call.state")) == ("Alice", "Calling…")
    tell(events.CallRinging, make_call_view(CallState.RINGING))
    assert text(window, "call.state") == "Ringing…"
    tell(events.CallChanged, make_call_view(CallState.CONNECTING))
    assert text(window, "call.state") == "Connecting…"
    tell(events.CallStarted, active(started_at=datetime.now(UTC) - timedelta(seconds=207.5)))
    assert text(window, "call.state") == "03:27"
    assert text(window, "call.way") == "End-to-end encrypted · direct (UDP)"
    assert text(window, "call.quality") == "Good connection · 38 ms"
    assert window.notices.sentences() == []


def test_the_time_of_a_call_is_that_since_its_beginning_however_late_the_timer_is(qtbot) -> None:
    begun = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    now = begun
    clock, told = CallClock(now=lambda: now), []
    clock.told.connect(told.append)
    clock.run(begun)
    assert told == ["00:00"]
    now = begun + timedelta(seconds=59.995)
    qtbot.waitUntil(lambda: len(told) > 1, timeout=3_000)
    now = begun + timedelta(hours=1, minutes=3, seconds=27.999)
    qtbot.waitUntil(lambda: told[-1] == "1:03:27", timeout=1_000)
    assert told[1] == "00:59"
    clock.run(None)
    assert clock.shown() == ""


def test_she_is_muted_by_button_and_by_key_in_both_windows(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    call = active()
    tell(events.CallStarted, call)
    window = call_of(talking)
    press(qtbot, window, "call.mute")
    asked(qtbot, node, "mute", call.call, True)
    qtbot.waitUntil(lambda: part(window, "call.mute").toolTip() == "Unmute (M)")
    assert part(window, "call.mute").accessibleName() == "Unmute (M)"
    for muted, key, modifier in ((False, Qt.Key.Key_M, Qt.KeyboardModifier.NoModifier),
                                 (True, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)):  # fmt: skip
        node.questions.clear()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.keyClick(window, key, modifier)
        asked(qtbot, node, "mute", call.call, muted)
        qtbot.waitUntil(lambda muted=muted: part(talking, "call_bar.mute").toolTip().startswith("Mute") is not muted)
    node.questions.clear()
    talking.activateWindow()
    qtbot.waitUntil(talking.isActiveWindow)
    qtbot.keyClick(talking, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    asked(qtbot, node, "mute", call.call, False)


def test_an_m_that_is_typed_into_a_message_mutes_nobody(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    tell(events.CallStarted, active())
    talking.activateWindow()
    qtbot.waitUntil(talking.isActiveWindow)
    qtbot.keyClicks(talking.chat.pane.composer.input, "mmm")
    assert talking.chat.pane.composer.input.toPlainText() == "mmm"
    assert node.asked("mute") == []


def test_who_hangs_up_sees_the_window_go(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = active()
    tell(events.CallStarted, call)
    press(qtbot, talking.calls.window, "call.hang_up")
    asked(qtbot, node, "hang_up", call.call)
    qtbot.waitUntil(lambda: not call_of(talking).isVisible())
    qtbot.waitUntil(lambda: not talking.calls.bar.isVisible())


def test_hanging_up_works_by_key_from_the_main_window(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    call = active()
    tell(events.CallStarted, call)
    talking.activateWindow()
    qtbot.waitUntil(talking.isActiveWindow)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(talking, Qt.Key.Key_H, both)
    asked(qtbot, node, "hang_up", call.call)


def test_when_the_other_hangs_up_it_is_said_and_the_window_goes_by_itself(
    qtbot, talking: MainWindow, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_window._GOES_MS == 4_000
    monkeypatch.setattr(call_window, "_GOES_MS", 60)
    call = active()
    tell(events.CallStarted, call)
    QApplication.sendEvent(call_of(talking), QEnterEvent(QPointF(9, 9), QPointF(9, 9), QPointF(9, 9)))
    lasted = replace(call, ended_at=call.started_at + timedelta(seconds=62))
    tell(events.CallEnded, over(lasted, CallEnd.HUNG_UP))
    assert text(call_of(talking), "call.state") == "The call is over. It lasted 01:02."
    with qtbot.waitSignal(call_of(talking)._goes.timeout):
        pass
    assert call_of(talking).isVisible(), "the mouse points at it"
    QApplication.sendEvent(call_of(talking), QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: not call_of(talking).isVisible())


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (CallEnd.DECLINED, "Alice declined the call."),
        (CallEnd.BUSY, "Alice is in another call."),
        (CallEnd.NO_ANSWER, "Alice did not answer."),
        (CallEnd.UNREACHABLE, "Alice could not be reached."),
        (CallEnd.LOST, "The connection was lost: nothing was heard for 15 seconds."),
        (CallEnd.VOICE_FAILED, "The sound of this computer broke down. Call again."),
    ],
)
def test_why_it_ended_stands_in_its_window(alone: CallWindow, reason: CallEnd, sentence: str) -> None:
    call = make_call_view(CallState.RINGING)
    alone.show_call(call)
    alone.show_call(over(call, reason))
    assert text(alone, "call.state") == sentence
    assert not alone._goes.isActive(), "it stays until somebody closes it"
    assert not part(alone, "call.mute").isVisible()
    assert part(alone, "call.again").isVisible()


def test_one_may_call_again_from_there(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = make_call_view(CallState.RINGING)
    tell(events.CallRinging, call)
    tell(events.CallEnded, over(call, CallEnd.NO_ANSWER))
    window = call_of(talking)
    node.calls.next = make_call_view(CallState.CALLING, number=2)
    press(qtbot, window, "call.again")
    asked(qtbot, node, "start", ALICE)
    qtbot.waitUntil(lambda: text(window, "call.state") == "Calling…")
    assert part(window, "call.hang_up").isVisible()


def test_who_is_offline_cannot_be_called_again(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = active()
    tell(events.CallStarted, call)
    node.tell(events.PresenceChanged(make_contact("alice", online=False, linked=False)))
    qtbot.waitUntil(lambda: not talking._state.contacts.contact("alice").online)
    assert part(talking, "conversation.call").isEnabled(), "the way back to the call"
    tell(events.CallEnded, over(call, CallEnd.LOST))
    again = part(call_of(talking), "call.again")
    assert (again.isEnabled(), again.toolTip()) == (False, "Alice is offline.")


def test_a_call_that_is_refused_says_why(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["start"] = refuse(RefusalCode.OFFLINE, "Alice is not there any more.")
    press(qtbot, talking, "conversation.call")
    qtbot.waitUntil(lambda: talking.toast.text() == "Alice is not there any more.")
    assert talking.calls.window is None


def test_a_list_of_calls_that_comes_late_wakes_none_that_is_over(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.talks = [make_conversation("alice")]
    node.calls.here = (active(), make_call_view(CallState.AVAILABLE, "bob", number=2))
    node.calls.gate = asyncio.Event()
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: bool(node.asked("current")))
    node.calls.tell(events.CallEnded, over(active(), CallEnd.HUNG_UP))
    assert node.loop is not None
    node.loop.call_soon_threadsafe(node.calls.gate.set)
    qtbot.waitUntil(lambda: window._state.calls.to_join(conversation_id("bob")) is not None)
    assert window._state.calls.current is None


# --- closing, and the bar ----------------------------------------------------------------------------


def test_closing_the_window_keeps_the_call_in_the_bar_and_says_so(qtbot, talking: MainWindow, tell: Tell) -> None:
    tell(events.CallStarted, active(started_at=datetime.now(UTC) - timedelta(seconds=61.5)))
    window, bar = call_of(talking), talking.calls.bar
    window.close()
    assert talking.toast.text() == "The call goes on. The green bar leads back to it."
    assert bar.isVisible()
    assert (text(bar, "call_bar.words"), text(bar, "call_bar.time")) == ("In a call with Alice", "01:01")
    press(qtbot, bar, "call_bar.back")
    assert window.isVisible()


def test_a_narrow_window_has_room_for_all_of_the_bar(qtbot, talking: MainWindow, tell: Tell) -> None:
    tell(events.CallStarted, active())
    talking.resize(380, 700)
    bar = talking.calls.bar
    qtbot.waitUntil(lambda: bar.width() == 380)
    assert text(bar, "call_bar.words") == "Alice"
    shown = [part(bar, f"call_bar.{name}") for name in ("words", "time", "mute", "back_sign", "hang_up")]
    assert all(each.isVisible() for each in shown)
    lefts = [each.geometry().left() for each in shown]
    assert lefts == sorted(lefts)
    assert shown[-1].geometry().right() < bar.width()
    press(qtbot, bar, "call_bar.back_sign")


def test_the_end_of_a_call_whose_window_was_closed_is_said_in_the_main_one(talking: MainWindow, tell: Tell) -> None:
    call = active()
    tell(events.CallStarted, call)
    call_of(talking).close()
    tell(events.CallEnded, over(call, CallEnd.LOST))
    assert talking.toast.text().startswith("The connection was lost")
    assert not call_of(talking).isVisible()


def test_esc_makes_it_small_and_it_can_do_all_that_counts(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    call = active()
    tell(events.CallStarted, call)
    window = call_of(talking)
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    small = talking.calls.small
    assert small is not None
    assert small.isVisible()
    assert not window.isVisible()
    assert small.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert text(small, "small_call.name") == "Alice"
    press(qtbot, small, "small_call.mute")
    asked(qtbot, node, "mute", call.call, True)
    press(qtbot, small, "small_call.back")
    assert window.isVisible()
    assert not small.isVisible()
    window.small_wanted.emit()
    press(qtbot, small, "small_call.hang_up")
    asked(qtbot, node, "hang_up", call.call)
    qtbot.waitUntil(lambda: not small.isVisible())
    assert not window.isVisible()


def test_the_end_of_a_small_call_is_seen_all_the_same(talking: MainWindow, tell: Tell) -> None:
    call = active()
    tell(events.CallStarted, call)
    call_of(talking).small_wanted.emit()
    tell(events.CallEnded, over(call, CallEnd.LOST))
    assert talking.calls.small is not None
    assert not talking.calls.small.isVisible()
    assert call_of(talking).isVisible()
    assert text(call_of(talking), "call.state").startswith("The connection was lost")
    assert talking.toast.text() == ""


def test_the_small_window_is_drawn_where_one_wants_it(qtbot, talking: MainWindow, tell: Tell) -> None:
    tell(events.CallStarted, active())
    call_of(talking).small_wanted.emit()
    small = talking.calls.small
    assert small is not None
    place = small.pos()
    qtbot.mousePress(small, Qt.MouseButton.LeftButton, pos=QPoint(120, 5))
    qtbot.mouseMove(small, QPoint(100, 35))
    qtbot.mouseRelease(small, Qt.MouseButton.LeftButton, pos=QPoint(120, 5))
    assert small.pos() == place + QPoint(-20, 30)


def test_whose_main_window_goes_into_the_tray_keeps_the_call_in_sight(talking: MainWindow, tell: Tell) -> None:
    tell(events.CallStarted, active())
    call_of(talking).close()
    talking.hide()
    talking.calls.main_hidden()
    assert talking.calls.small is not None
    assert talking.calls.small.isVisible()


def test_whoever_quits_in_a_call_is_asked(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    call = active()
    tell(events.CallStarted, call)
    talking.quit()
    assert talking.isVisible()
    press(qtbot, talking, "confirm.no")
    assert talking.isVisible()
    assert node.asked("hang_up") == []
    talking.close()
    with qtbot.waitSignal(talking.closed):
        press(qtbot, talking.findChildren(ConfirmDialog)[-1], "confirm.yes")
    asked(qtbot, node, "hang_up", call.call)
    assert talking.calls.window is None


def test_what_was_being_recorded_waits_to_be_listened_to(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    node.voice.file = VoiceFile("voice.opus", 2.0, b"", 100)
    press(qtbot, talking, "conversation.microphone")
    recorder = talking.chat.pane.recorder
    qtbot.waitUntil(lambda: recorder.state is Recording.RECORDING)
    call = make_call_view(CallState.RINGING, is_incoming=True)
    tell(events.CallRinging, call)
    assert node.asked("play_tone") == [], "the ring would be recorded"
    tell(events.CallChanged, replace(call, state=CallState.CONNECTING))
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)


def test_who_logs_out_has_no_call_any_more(qtbot, talking: MainWindow, tell: Tell) -> None:
    tell(events.CallStarted, active())
    talking._logged_out(None)
    assert not call_of(talking).isVisible()
    assert not talking.calls.bar.isVisible()


def test_what_is_played_stops_when_a_call_begins(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    playback = talking.chat.pane.desk.playback
    playback.toggle("voice.opus")
    tell(events.CallChanged, make_call_view(CallState.CONNECTING))
    assert playback.current == ""
    asked(qtbot, node, "stop_playing")


# --- what is seen of the voices --------------------------------------------------------------------------


def test_who_speaks_is_ringed_and_the_own_microphone_moves_its_meter(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    call = active()
    tell(events.CallStarted, call)
    window = call_of(talking)
    tile = window.stage.tiles()["alice"]
    node.tell(events.CallLevels(CallLevelsView(call.call, 128, True, (CallLevel(UserId("alice"), 200, True),))))
    qtbot.waitUntil(lambda: tile.speaks)
    assert window.level.lit == 9
    assert tile.accessibleName() == "Alice, speaks"
    node.tell(events.CallLevels(CallLevelsView(call.call, 0, False, (CallLevel(UserId("alice"), 0, False),))))
    qtbot.waitUntil(lambda: not tile.speaks)
    assert (window.level.lit, tile.accessibleName()) == (0, "Alice")


def test_a_poor_network_is_told_of_until_it_was_good_for_a_while(
    qtbot, alone: CallWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert notice_lines.POOR_MS == 6_000
    poor = "The connection is poor: words may get lost."
    notices = alone.notices
    notices._poor.setInterval(80)
    alone.show_call(active(people=(make_caller(quality=1, delay_ms=412.0),)))
    assert notices.sentences() == [poor]
    alone.show_call(active())
    assert notices.sentences() == [poor]
    qtbot.waitUntil(lambda: notices.sentences() == [])


def test_a_voice_that_goes_by_tcp_says_why(alone: CallWindow) -> None:
    alone.show_call(active(people=(make_caller(path="tcp"),)))
    assert text(alone, "call.way") == "End-to-end encrypted · over TCP"
    assert "does not let voice packets through" in alone.notices.sentences()[0]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (active(has_microphone=False), "No microphone is here: you can only listen."),
        (active(has_speaker=False), "No speaker is here: you can speak, but hear nothing."),
        (active(has_microphone=False, has_speaker=False), "No microphone and no speaker are here: plug in a headset."),
        (active(sound_notice="“Headset” is not here."), "“Headset” is not here."),
        (active(people=(make_caller(is_muted=True),)), "Alice is muted."),
        (active(people=(make_caller(has_microphone=False),)), "Alice has no microphone, but hears you."),
        (active(people=(make_caller(has_speaker=False),)), "Alice has no speaker and does not hear you."),
    ],
)
def test_what_is_missing_here_or_there_is_said(alone: CallWindow, call: CallView, sentence: str) -> None:
    alone.show_call(call)
    assert alone.notices.sentences() == [sentence]
    assert part(alone, "call.mute").isEnabled() == call.has_microphone


def test_all_notices_fit_into_the_smallest_window(qtbot, alone: CallWindow) -> None:
    worst = make_caller(quality=1, path="tcp", has_speaker=False)
    notice = "The microphone “Blue Snowball iCE” is not here; the system's choice is used."
    alone.show_call(active(sound_notice=notice, people=(worst,)))
    window = alone
    window.resize(window.minimumSize())
    qtbot.waitUntil(lambda: window.size() == window.minimumSize())
    lines = [(line, label) for line, _icon, label in window.notices._lines]
    qtbot.waitUntil(lambda: all(label.height() >= label.heightForWidth(label.width()) for _, label in lines))
    assert window.rect().contains(part(window, "call.hang_up").mapTo(window, QPoint(55, 55)))
    bottoms = [line.mapTo(window, QPoint(0, line.height())).y() for line, _label in lines]
    tops = [line.mapTo(window, QPoint(0, 0)).y() for line, _label in lines]
    assert all(bottom < top for bottom, top in zip(bottoms, tops[1:], strict=False))
    assert bottoms[-1] <= window.stage.geometry().top()


def test_devices_are_changed_in_the_midst_of_a_call(qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell) -> None:
    node.calls.devices_here = HEADSETS
    tell(events.CallStarted, active())
    menu = part(call_of(talking), "call.devices").menu()
    menu.popup(QPoint(0, 0))
    names = lambda: [each.text() for each in menu.actions() if not each.isSeparator()]  # noqa: E731
    system = "The system's choice (Built-in)"
    wanted = ["Microphone", system, "Built-in", "Headset", "Speaker", system, "Built-in", "TV && more"]
    qtbot.waitUntil(lambda: names() == wanted)
    assert [each.text() for each in menu.actions() if each.isChecked()] == ["Headset", system]
    next(each for each in menu.actions() if each.text() == "TV && more").trigger()
    asked(qtbot, node, "set_devices", "Headset", "TV & more")
    menu.hide()
    node.refusals["call_devices"] = refuse(RefusalCode.AUDIO_FAILED, "The sound system hangs.")
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(lambda: names() == ["The sound system hangs."])
    menu.hide()


# --- groups ------------------------------------------------------------------------------------------------


def of_group(state: CallState, *people, **changes) -> CallView:
    about = {"is_group": True, "title": "Lab 3", "conversation": conversation_id("Lab 3"), "people": people}
    return make_call_view(state, "bo", **(about | changes))


def test_everybody_in_a_group_has_a_tile_with_their_marks(alone: CallWindow) -> None:
    people = (
        make_caller("bo"),
        make_caller("chen", is_muted=True),
        make_caller("dora", state=CallState.RINGING, quality=0),
        make_caller("emil", has_microphone=False),
        make_caller("fay", state=CallState.ENDED),
    )
    alone.show_call(of_group(CallState.ACTIVE, *people, is_muted=True))
    window = alone
    tiles = window.stage.tiles()
    assert {user: (tile.mark, tile.words) for user, tile in tiles.items()} == {
        "bo": ("", ""),
        "chen": ("mic-off", "muted"),
        "dora": ("", "Ringing…"),
        "emil": ("mic-off", "has no microphone"),
        "": ("mic-off", "muted"),
    }
    assert tiles["chen"].accessibleName() == "Chen, muted"
    assert window.windowTitle() == "Call in Lab 3"
    alone.show_call(of_group(CallState.ACTIVE, *people[:2]))
    assert list(window.stage.tiles()) == ["bo", "chen", ""]


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("width", [340, 520, 1100])
def test_up_to_eight_people_have_room_beside_each_other(qtbot, alone: CallWindow, count: int, width: int) -> None:
    people = tuple(make_caller(f"user{number}") for number in range(count))
    alone.show_call(of_group(CallState.ACTIVE, *people))
    window = alone
    window.resize(width, 640)
    qtbot.waitUntil(lambda: window.width() == width)
    tiles = list(window.stage.tiles().values())
    assert len(tiles) == count + 1
    for number, tile in enumerate(tiles):
        assert window.stage.rect().contains(tile.geometry())
        assert min(tile._picture_place().width(), tile.width()) >= 40
        assert tile.rect().toRectF().contains(tile._picture_place())
        assert not any(tile.geometry().intersects(other.geometry()) for other in tiles[number + 1 :])


def test_tiles_stand_in_as_few_and_square_rows_as_their_room_has() -> None:
    tile = QSize(168, 196)
    assert [best_columns(count, QSize(480, 360), tile) for count in (2, 3, 4, 6, 8)] == [2, 3, 2, 3, 4]
    assert [best_columns(count, QSize(300, 600), tile) for count in (2, 4, 8)] == [1, 2, 2]


def test_each_voice_has_its_own_volume_by_click_and_by_key(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    call = of_group(CallState.ACTIVE, make_caller("bo"), make_caller("chen", volume=0.5))
    tell(events.CallStarted, call)
    window = call_of(talking)
    qtbot.mouseClick(window.stage.tiles()["chen"], Qt.MouseButton.LeftButton)
    slider = window.findChild(QSlider, "call.volume")
    assert (slider.value(), slider.accessibleName()) == (50, "Volume of Chen")
    slider.setValue(150)
    asked(qtbot, node, "set_volume", call.call, "chen", 1.5)
    window.findChild(VolumePopup).close()
    qtbot.waitUntil(lambda: window.findChild(VolumePopup) is None)
    qtbot.keyClick(window.stage.tiles()["bo"], Qt.Key.Key_Return)
    slider = window.findChild(QSlider, "call.volume")
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    asked(qtbot, node, "set_volume", call.call, "bo", 0.95)
    window.findChild(VolumePopup).close()


# --- from a conversation -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "session", "reason"),
    [
        ({}, {}, ""),
        ({"online": False, "linked": True}, {"connected": False}, ""),
        ({"online": False, "linked": False}, {}, "Alice is offline."),
        ({"blocked": True}, {}, "You blocked Alice."),
        ({"state": Consent.REMOVED}, {}, "You can call Alice once you are contacts."),
        ({}, {"superseded": True}, "You signed in on another device: calls come there."),
    ],
)
def test_why_somebody_cannot_be_called_is_said(contact: dict, session: dict, reason: str) -> None:
    person = make_contact("alice", **contact)
    assert why_not(make_conversation("alice"), person, None, make_session(**session), None) == reason


def test_who_is_in_a_call_gets_back_to_it_and_calls_nobody_else(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    tell(events.CallStarted, active())
    window = call_of(talking)
    window.close()
    assert part(talking, "conversation.call").toolTip() == "Back to call"
    press(qtbot, talking, "conversation.call")
    assert window.isVisible()
    assert node.asked("start") == []
    talking.chat.open(talking._state.conversations.with_user("bob"))
    assert part(talking, "conversation.call").toolTip() == "You are in a call already. Hang up first."


def test_a_call_that_goes_on_in_a_group_is_joined_from_its_strip(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    view, group = make_group("Lab 3", "bo", "chen", "dora", "emil")
    node.keep_group(view, group)
    node.tell(events.ConversationChanged(view), events.GroupChanged(group))
    qtbot.waitUntil(lambda: talking._state.conversations.conversation(view.conversation) is not None)
    talking.chat.open(view)
    strip = part(talking, "conversation.call_strip")
    button = part(talking, "conversation.call")
    assert not strip.isVisible()
    qtbot.waitUntil(lambda: button.toolTip() == "Nobody else of this group is online.")
    people = [make_caller(user) for user in ("bo", "chen", "dora", "emil")]
    on = of_group(CallState.AVAILABLE, *people)
    tell(events.CallChanged, on)
    assert strip.isVisible()
    assert part(talking, "conversation.call_strip.words").accessibleName() == (
        "A call is going on: Bo, Chen, Dora and 1 more"
    )
    assert (button.toolTip(), button.isEnabled()) == ("Join the call", True)
    assert not talking.calls.bar.isVisible()
    node.calls.next = replace(on, state=CallState.CONNECTING)
    press(qtbot, strip, "conversation.join_call")
    asked(qtbot, node, "start", view.conversation)
    qtbot.waitUntil(lambda: not strip.isVisible())
    window = call_of(talking)
    assert window.isVisible()
    node.calls.goes_on = True
    press(qtbot, window, "call.hang_up")
    qtbot.waitUntil(lambda: strip.isVisible() and not window.isVisible())
    assert not talking.calls.bar.isVisible()
    node.calls.next = replace(on, state=CallState.CONNECTING)
    press(qtbot, strip, "conversation.join_call")
    qtbot.waitUntil(window.isVisible)
    tell(events.CallChanged, on)
    assert text(window, "call.state") == "You are not in the call any more."
    assert part(window, "call.again").text() == "Join again"
    assert strip.isVisible()
    tell(events.CallEnded, over(on, CallEnd.HUNG_UP))
    assert text(window, "call.state") == "The call is over."
    assert not strip.isVisible()
    assert talking.toast.text() == ""


def test_calls_that_were_there_before_the_window_are_shown(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.talks = [make_conversation("alice")]
    node.calls.here = (active(),)
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window.calls.window is not None)
    assert call_of(window).isVisible()


def test_figures_are_there_for_who_wants_to_know() -> None:
    worst = make_caller(delay_ms=412.4, loss=0.175, jitter_ms=80.0)
    assert words.figures(worst) == "delay 412 ms · 17.5 % lost · varies by 80 ms"
    assert words.figures(make_caller(delay_ms=None)) == "0 % lost · varies by 0 ms"


def test_it_is_dark_in_a_light_window(alone: CallWindow) -> None:
    alone.show_call(active())
    assert alone.grab().toImage().pixelColor(3, 3).name().upper() == "#151A21"


def test_the_caller_hears_that_it_rings_until_somebody_answers(
    qtbot, talking: MainWindow, node: ScriptedNode, tell: Tell
) -> None:
    tell(events.CallChanged, make_call_view(CallState.CALLING))
    assert node.asked("play_tone") == []
    tell(events.CallRinging, make_call_view(CallState.RINGING))
    asked(qtbot, node, "play_tone", Tone.RING_BACK)
    tell(events.CallChanged, make_call_view(CallState.CONNECTING))
    asked(qtbot, node, "stop_tone")

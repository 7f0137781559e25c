"""Voice messages on the screen: the bubble that plays, and the recorder in the composer."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QToolButton

from peer import events
from peer.errors import RefusalCode
from peer.views import MessageKind, MessageView, PlaybackView, RecordingView, TransferState, VoiceFile
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_file,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.transfers import voice_recorder
from ui.transfers.acts import Act
from ui.transfers.voice_playback import VoicePlayback
from ui.transfers.voice_recorder import Recording, VoiceRecorder
from ui.transfers.waveform import resampled

ALICE = conversation_id("alice")
BOB = conversation_id("bob")
SECONDS = 14.0


def make_voice(number: int, **about) -> MessageView:
    shown = {"state": TransferState.HERE, "path": f"/{number}.opus", "duration": SECONDS, "waveform": bytes(range(128))}
    return make_file(number, f"{number}.opus", kind=MessageKind.VOICE, about=shown | about)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice"), make_contact("bob")]
    node.talks = [make_conversation("alice", last_entry=make_message(1)), make_conversation("bob")]
    node.history[ALICE] = [make_voice(1), make_voice(2)]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 2)
    window.chat.open(window._state.conversations.conversation(ALICE))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 2)
    return window


def place_of(window: MainWindow, row: int, act: Act, share: float = 0.5) -> QPoint:
    view = window.chat.pane.view
    index = view.model().index(row, 0)
    place = view.visualRect(index)
    parts = view._bubbles._look(index, place.width())[2]
    block = view._bubbles._blocks[MessageKind.VOICE]
    spot = next(spot for spot in block.spots(view.model().message(row), parts.block) if spot.act is act)
    x = spot.place.left() + share * spot.place.width()
    return place.topLeft() + QPoint(round(x), round(spot.place.center().y()))


def click(window: MainWindow, qtbot, row: int, act: Act, share: float = 0.5) -> None:
    place = place_of(window, row, act, share)
    qtbot.mouseClick(window.chat.pane.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def plays_on(qtbot, window: MainWindow, node: ScriptedNode, path: str, at: float, **changes) -> None:
    node.tell(events.PlaybackChanged(PlaybackView(path, at, SECONDS, 1.0, **changes)))
    over = changes.get("is_over", False)
    qtbot.waitUntil(lambda: over or window.chat.pane.desk.playback.of(path).at == at)


def test_a_click_plays_and_another_pauses_where_it_is(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    click(talking, qtbot, 0, Act.PLAY)
    qtbot.waitUntil(lambda: node.asked("play") == [("/1.opus", 0.0, 1.0)])
    plays_on(qtbot, talking, node, "/1.opus", 5.0)
    click(talking, qtbot, 0, Act.PLAY)
    qtbot.waitUntil(lambda: len(node.asked("stop_playing")) == 1)
    node.tell(events.PlaybackChanged(PlaybackView("/1.opus", 5.1, SECONDS, 1.0, is_over=True)))
    click(talking, qtbot, 0, Act.PLAY)
    qtbot.waitUntil(lambda: len(node.asked("play")) == 2)
    assert node.asked("play")[1] == ("/1.opus", 5.0, 1.0)


def test_heard_to_its_end_it_begins_anew(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    playback = talking.chat.pane.desk.playback
    click(talking, qtbot, 0, Act.PLAY)
    plays_on(qtbot, talking, node, "/1.opus", 13.0)
    plays_on(qtbot, talking, node, "/1.opus", SECONDS, is_over=True)
    qtbot.waitUntil(lambda: not playback.of("/1.opus").is_playing)
    assert playback.of("/1.opus").at == 0.0


def test_a_click_into_the_waveform_plays_from_there(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    click(talking, qtbot, 0, Act.SEEK, 0.5)
    qtbot.waitUntil(lambda: len(node.asked("play")) == 1)
    path, at, _speed = node.asked("play")[0]
    assert path == "/1.opus"
    assert at == pytest.approx(SECONDS / 2, abs=0.2)


def test_the_mouse_over_the_waveform_shows_where_a_click_would_lead(qtbot, talking: MainWindow) -> None:
    view = talking.chat.pane.view
    before = view.viewport().grab().toImage()
    qtbot.mouseMove(view.viewport(), place_of(talking, 0, Act.SEEK, 0.3))
    qtbot.waitUntil(lambda: view._bubbles.pointer is not None and view._bubbles.pointer.act is Act.SEEK)
    assert view._bubbles.pointer.fraction == pytest.approx(0.3, abs=0.02)
    assert view.viewport().grab().toImage() != before


def test_one_at_a_time(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    playback: VoicePlayback = talking.chat.pane.desk.playback
    click(talking, qtbot, 0, Act.PLAY)
    plays_on(qtbot, talking, node, "/1.opus", 3.0)
    click(talking, qtbot, 1, Act.PLAY)
    assert playback.current == "/2.opus"
    # The node tells late that the first is over: that says nothing about where it was left.
    plays_on(qtbot, talking, node, "/1.opus", 0.0, is_over=True)
    plays_on(qtbot, talking, node, "/2.opus", 1.0)
    assert playback.of("/1.opus").at == 3.0
    assert not playback.of("/1.opus").is_playing


def test_the_speed_changes_at_once_and_for_all(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    click(talking, qtbot, 0, Act.PLAY)
    plays_on(qtbot, talking, node, "/1.opus", 3.0)
    for _ in range(3):
        click(talking, qtbot, 1, Act.SPEED)
    qtbot.waitUntil(lambda: len(node.asked("play")) == 4)
    assert [speed for _, _, speed in node.asked("play")] == [1.0, 1.5, 2.0, 1.0]
    assert all(path == "/1.opus" for path, _, _ in node.asked("play"))


def test_arrows_skip_by_the_keyboard(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    view = talking.chat.pane.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    plays_on(qtbot, talking, node, "/2.opus", 4.0)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: len(node.asked("play")) == 4)
    assert [at for _, at, _ in node.asked("play")] == [0.0, 9.0, 4.0, 0.0]


def test_no_speaker_is_said_in_words(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["play"] = refuse(RefusalCode.NO_SPEAKER, "There is no speaker here.")
    click(talking, qtbot, 0, Act.PLAY)
    qtbot.waitUntil(lambda: talking.toast.text() == "There is no speaker here.")
    assert not talking.chat.pane.desk.playback.of("/1.opus").is_playing


def test_what_is_not_here_is_downloaded_by_the_same_button(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_voice(2, state=TransferState.OFFERED, path="")
    node.tell(events.MessageChanged(message))
    view = talking.chat.pane.view
    height = view.visualRect(view.model().index(0, 0)).height()
    qtbot.waitUntil(lambda: view.model().message(1) == message)
    click(talking, qtbot, 1, Act.ACCEPT)
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(message.entry, None)])
    assert view.visualRect(view.model().index(0, 0)).height() == height


@pytest.mark.parametrize("count", [1, 7, 40, 128, 300])
def test_a_waveform_keeps_its_loudest_part_at_any_width(count: int) -> None:
    wave = bytes([10] * 60 + [250] + [10] * 67)
    bars = resampled(wave, count)
    assert len(bars) == count
    assert max(bars) == 250
    assert resampled(b"", 3) == [0, 0, 0]


# --- the recorder ----------------------------------------------------------------------------


@pytest.fixture
def voice(node: ScriptedNode, tmp_path: Path) -> VoiceFile:
    path = tmp_path / "Voice message.opus"
    path.write_bytes(b"OggS")
    node.voice.file = VoiceFile(str(path), 7.0, bytes(range(100)), 4)
    return node.voice.file


def recorder_of(window: MainWindow) -> VoiceRecorder:
    return window.chat.pane.recorder


def microphone(window: MainWindow) -> QToolButton:
    return window.findChild(QToolButton, "conversation.microphone")


def begin(qtbot, window: MainWindow) -> VoiceRecorder:
    """Begin with a click."""
    qtbot.mouseClick(microphone(window), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: recorder_of(window).state is Recording.RECORDING)
    return recorder_of(window)


def sent_voices(node: ScriptedNode) -> list[tuple]:
    return node.asked("send_voice")


def test_a_click_records_and_enter_sends(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    recorder = begin(qtbot, talking)
    assert recorder.isVisible()
    assert not talking.chat.pane.composer.input.isVisible()
    node.tell(events.RecordingChanged(RecordingView(65.2, 128)))
    qtbot.waitUntil(lambda: recorder._time.text() == "1:05")
    qtbot.keyClick(recorder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sent_voices(node) == [(ALICE, Path(voice.path), 7.0, voice.waveform)])
    qtbot.waitUntil(lambda: node.asked("discard") == [(voice.path,)])
    assert talking.chat.pane.composer.input.isVisible()
    assert talking.focusWidget() is talking.chat.pane.composer.input


def test_the_send_button_sends_what_is_being_recorded(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile
) -> None:
    begin(qtbot, talking)
    qtbot.mouseClick(talking.findChild(QToolButton, "conversation.send"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(sent_voices(node)) == 1)


def test_who_holds_the_button_sends_by_letting_go(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_recorder, "_HOLD_MS", 0)
    qtbot.mousePress(microphone(talking), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: recorder_of(talking).state is Recording.RECORDING)
    qtbot.mouseRelease(microphone(talking), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(sent_voices(node)) == 1)


def test_who_lets_go_elsewhere_throws_it_away(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_recorder, "_HOLD_MS", 0)
    qtbot.mousePress(microphone(talking), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: recorder_of(talking).state is Recording.RECORDING)
    qtbot.mouseRelease(microphone(talking), Qt.MouseButton.LeftButton, pos=QPoint(-200, 0))
    qtbot.waitUntil(lambda: len(node.asked("cancel_recording")) == 1)
    assert sent_voices(node) == []
    assert not recorder_of(talking).is_on


def test_one_listens_first(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    recorder = begin(qtbot, talking)
    qtbot.mouseClick(microphone(talking), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    assert recorder._time.text() == "0:07"
    qtbot.mouseClick(talking.findChild(QToolButton, "recorder.play"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: node.asked("play") == [(voice.path, 0.0, 1.0)])
    qtbot.mouseClick(recorder._meter, Qt.MouseButton.LeftButton, pos=recorder._meter.rect().center())
    qtbot.waitUntil(lambda: len(node.asked("play")) == 2)
    assert node.asked("play")[1][1] == pytest.approx(3.5, abs=0.2)
    assert sent_voices(node) == []
    recorder.send()
    qtbot.waitUntil(lambda: len(sent_voices(node)) == 1)


def test_the_mouse_over_a_recording_shows_where_a_click_would_lead(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile
) -> None:
    recorder = begin(qtbot, talking)
    recorder.stop()
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    meter = recorder._meter
    qtbot.mouseMove(meter, QPoint(meter.width() * 3 // 7, 20))
    qtbot.waitUntil(lambda: recorder._time.text() == "0:03")
    pointed = meter.grab().toImage()
    QApplication.sendEvent(meter, QEvent(QEvent.Type.Leave))
    assert recorder._time.text() == "0:07"
    assert meter.grab().toImage() != pointed


def test_arrows_skip_in_a_recording(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    recorder = begin(qtbot, talking)
    recorder.stop()
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    qtbot.keyClick(recorder, Qt.Key.Key_Right)
    qtbot.keyClick(recorder, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: [at for _, at, _ in node.asked("play")] == [5.0, 0.0])


@pytest.mark.parametrize("listened", [False, True])
def test_escape_throws_it_away(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile, listened: bool
) -> None:
    recorder = begin(qtbot, talking)
    if listened:
        recorder.stop()
        qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    qtbot.keyClick(recorder, Qt.Key.Key_Escape)
    assert not recorder.is_on
    method = "discard" if listened else "cancel_recording"
    qtbot.waitUntil(lambda: len(node.asked(method)) == 1)
    assert sent_voices(node) == []


def test_no_microphone_is_said_in_words(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["start_recording"] = refuse(RefusalCode.NO_MICROPHONE, "There is no microphone here.")
    qtbot.mouseClick(microphone(talking), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: talking.toast.text() == "There is no microphone here.")
    assert not recorder_of(talking).is_on
    assert talking.chat.pane.composer.input.isVisible()


def test_what_was_thrown_away_before_it_began_is_not_recorded(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile
) -> None:
    node.gate = asyncio.Event()
    qtbot.mouseClick(microphone(talking), Qt.MouseButton.LeftButton)
    recorder_of(talking).cancel()
    node.loop.call_soon_threadsafe(node.gate.set)
    qtbot.waitUntil(lambda: len(node.asked("cancel_recording")) == 1)
    assert not recorder_of(talking).is_on


def test_what_ended_by_itself_can_be_listened_to(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile
) -> None:
    recorder = begin(qtbot, talking)
    node.tell(events.RecordingChanged(RecordingView(7.0, is_over=True, voice=voice, reason="It was unplugged.")))
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    assert talking.toast.text() == "It was unplugged."


def test_what_could_not_be_sent_is_given_back(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    node.refusals["send_voice"] = refuse(RefusalCode.REFUSED, "The disk is full.")
    recorder = begin(qtbot, talking)
    recorder.send()
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)
    assert talking.toast.text() == "The disk is full."
    assert node.asked("discard") == []


def test_a_recording_waits_in_its_own_conversation(
    qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile
) -> None:
    recorder = begin(qtbot, talking)
    talking.chat.open(talking._state.conversations.conversation(BOB))
    qtbot.waitUntil(lambda: recorder.state is Recording.IDLE)
    assert talking.chat.pane.composer.input.isVisible()
    talking.chat.open(talking._state.conversations.conversation(ALICE))
    assert recorder.state is Recording.LISTENING
    talking.chat.open(talking._state.conversations.conversation(BOB))
    assert recorder.state is Recording.IDLE
    assert sent_voices(node) == []


def test_signing_out_throws_it_away(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    recorder = begin(qtbot, talking)
    talking._logged_out(None)
    qtbot.waitUntil(lambda: not recorder.is_on)
    assert node.asked("discard") == [(voice.path,)]
    assert sent_voices(node) == []


def test_a_key_begins_it_too(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    button = microphone(talking)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    recorder = recorder_of(talking)
    qtbot.waitUntil(lambda: recorder.state is Recording.RECORDING)
    assert talking.focusWidget() is recorder
    qtbot.keyClick(recorder, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: recorder.state is Recording.LISTENING)


def test_in_a_narrow_window_there_is_room_to_write(qtbot, talking: MainWindow) -> None:
    talking.resize(360, 480)
    composer = talking.chat.pane.composer
    send = talking.findChild(QToolButton, "conversation.send")
    qtbot.waitUntil(lambda: composer.width() == 360)
    assert microphone(talking).isVisible()
    assert send.isVisible()
    qtbot.keyClicks(composer.input, "x")
    assert not microphone(talking).isVisible()
    assert send.isVisible()
    qtbot.waitUntil(lambda: composer.input.width() > 170)


def test_nothing_plays_while_one_speaks(qtbot, talking: MainWindow, node: ScriptedNode, voice: VoiceFile) -> None:
    click(talking, qtbot, 0, Act.PLAY)
    qtbot.waitUntil(lambda: len(node.asked("play")) == 1)
    begin(qtbot, talking)
    qtbot.waitUntil(lambda: len(node.asked("stop_playing")) == 1)

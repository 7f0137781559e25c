"""The settings: one dialog, by key and menu; what is chosen there holds at once."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QToolButton, QWidget
from shiboken6 import isValid

from peer import events
from peer.audio.switches import Switches
from peer.errors import RefusalCode
from peer.views import AudioChoice, AudioDevices, VoiceTrialView
from tests.ui.scripted_node import ScriptedNode, make_session, refuse
from ui.main_window.window import MainWindow
from ui.main_window.window_memory import WindowMemory
from ui.settings.audio_page import AudioPage, Trial
from ui.settings.settings_dialog import SettingsDialog
from ui.theme.check_box import CheckBox
from ui.theme.choice_box import ChoiceBox
from ui.theme.controls import ElidedText, Text, Theme
from ui.theme.tokens import DARK

APPEARANCE, NOTIFICATIONS, FILES, AUDIO = range(4)
DEVICES = AudioDevices(("Built-in", "Headset"), ("Built-in", "Headset"), "Built-in", "Built-in")


@pytest.fixture
def dialog(qtbot, window: MainWindow, node: ScriptedNode) -> SettingsDialog:
    """Opened by its key."""
    node.voice.here = DEVICES
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    found = window.findChildren(SettingsDialog)
    assert len(found) == 1
    return found[0]


def page(qtbot, dialog: SettingsDialog, number: int) -> None:
    qtbot.mouseClick(dialog.findChild(QToolButton, f"settings.tab.{number}"), Qt.MouseButton.LeftButton)


def box(dialog: QWidget, name: str) -> ChoiceBox:
    return dialog.findChild(ChoiceBox, name)


def choose(qtbot, dialog: QWidget, name: str, words: str) -> None:
    """Choose by the keyboard, as the words begin."""
    here = box(dialog, name)
    here.setFocus()
    for _ in range(here.count()):
        if here.currentText() == words:
            return
        qtbot.keyClick(here, Qt.Key.Key_Down)
    for _ in range(here.count()):
        if here.currentText() == words:
            return
        qtbot.keyClick(here, Qt.Key.Key_Up)
    raise AssertionError(f"no {words!r} in {[here.itemText(row) for row in range(here.count())]}")


def press(qtbot, dialog: QWidget, name: str) -> None:
    qtbot.mouseClick(dialog.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def audio(qtbot, dialog: SettingsDialog) -> AudioPage:
    """Go to the page of sound, once it knows what there is."""
    page(qtbot, dialog, AUDIO)
    found = dialog.findChild(AudioPage)
    qtbot.waitUntil(lambda: found._devices is not None)
    return found


def said(dialog: QWidget) -> str:
    return dialog.findChild(Text, "settings.audio_said").text()


def test_the_menu_opens_the_settings(window: MainWindow) -> None:
    window.login.signed_in.emit(make_session())
    next(action for action in window._menu.actions() if action.text().startswith("Settings…")).trigger()
    assert window.findChild(SettingsDialog).isVisible()


def test_the_theme_changes_at_once_and_is_kept(qtbot, dialog: SettingsDialog, theme: Theme, window: MainWindow) -> None:
    choose(qtbot, dialog, "settings.theme", "Dark")
    assert theme.tokens is DARK


def test_how_much_a_notification_says_is_kept(qtbot, dialog: SettingsDialog, tmp_path: Path) -> None:
    page(qtbot, dialog, NOTIFICATIONS)
    choose(qtbot, dialog, "settings.notifications", "Without name and text")
    assert WindowMemory(tmp_path).word("notifications") == "private"


def test_what_comes_by_itself_is_told_to_the_node(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    page(qtbot, dialog, FILES)
    qtbot.waitUntil(lambda: box(dialog, "settings.auto_fetch").currentText() == "Up to 1 MB")
    choose(qtbot, dialog, "settings.auto_fetch", "Up to 100 MB")
    qtbot.waitUntil(lambda: node.auto_fetched == 100_000_000)
    choose(qtbot, dialog, "settings.auto_fetch", "None")
    qtbot.waitUntil(lambda: node.auto_fetched == 0)


def test_a_size_that_a_script_set_is_shown_as_it_is(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.auto_fetched = 5_000_000
    window.login.signed_in.emit(make_session())
    window._open_settings()
    qtbot.waitUntil(lambda: box(window, "settings.auto_fetch").currentText() == "Up to 5 MB")


def test_another_folder_is_chosen(qtbot, dialog: SettingsDialog, node: ScriptedNode, tmp_path: Path) -> None:
    page(qtbot, dialog, FILES)
    folder = dialog.findChild(ElidedText, "settings.folder")
    qtbot.waitUntil(lambda: folder.whole().endswith("li.wei"))
    press(qtbot, dialog, "settings.choose_folder")
    chooser = dialog.findChild(QFileDialog, "settings.folder_dialog")
    chooser.fileSelected.emit(str(tmp_path))
    chooser.close()
    qtbot.waitUntil(lambda: node.asked("set_downloads") == [(tmp_path,)])
    qtbot.waitUntil(lambda: folder.whole() == str(tmp_path))


def test_a_microphone_and_a_speaker_are_chosen_apart(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    audio(qtbot, dialog)
    assert box(dialog, "settings.microphone").currentText() == "The system's choice (Built-in)"
    choose(qtbot, dialog, "settings.microphone", "Headset")
    qtbot.waitUntil(lambda: node.audio == AudioChoice("Headset", ""))
    choose(qtbot, dialog, "settings.speaker", "Built-in")
    qtbot.waitUntil(lambda: node.audio == AudioChoice("Headset", "Built-in"))


def test_what_was_chosen_and_is_not_here_stays_chosen_and_that_is_said(
    qtbot, window: MainWindow, node: ScriptedNode
) -> None:
    node.voice.here, node.audio = DEVICES, AudioChoice("USB microphone", "")
    window.login.signed_in.emit(make_session())
    window._open_settings()
    dialog = window.findChild(SettingsDialog)
    found = audio(qtbot, dialog)
    assert box(dialog, "settings.microphone").currentText() == "USB microphone (not here)"
    assert found._microphone_row.hint.text() == "Until it is back, the system's choice is used."
    choose(qtbot, dialog, "settings.speaker", "Headset")
    qtbot.waitUntil(lambda: node.audio == AudioChoice("USB microphone", "Headset"))


def test_without_devices_nothing_pretends_to_work(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    audio(qtbot, dialog)
    node.voice.here = AudioDevices((), (), "", "")
    press(qtbot, dialog, "settings.devices_again")
    microphone = box(dialog, "settings.microphone")
    qtbot.waitUntil(lambda: microphone.currentText() == "No microphone is here")
    assert box(dialog, "settings.speaker").currentText() == "No speaker is here"
    for name in ("settings.try_microphone", "settings.play_tone"):
        assert not dialog.findChild(QPushButton, name).isEnabled()
    node.voice.here = DEVICES
    press(qtbot, dialog, "settings.devices_again")
    qtbot.waitUntil(lambda: dialog.findChild(QPushButton, "settings.try_microphone").isEnabled())


def test_no_sound_system_is_said(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.refusals["devices"] = refuse(RefusalCode.AUDIO_FAILED, "Sound needs PyAudio.")
    window.login.signed_in.emit(make_session())
    window._open_settings()
    qtbot.waitUntil(lambda: said(window) == "Sound needs PyAudio.")


def test_a_tone_is_played(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    audio(qtbot, dialog)
    press(qtbot, dialog, "settings.play_tone")
    qtbot.waitUntil(lambda: len(node.asked("play_tone")) == 1)
    node.refusals["play_tone"] = refuse(RefusalCode.NO_SPEAKER, "There is no speaker.")
    press(qtbot, dialog, "settings.play_tone")
    qtbot.waitUntil(lambda: said(dialog) == "There is no speaker.")


@pytest.fixture
def speaking(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> AudioPage:
    """Somebody is trying the microphone."""
    found = audio(qtbot, dialog)
    press(qtbot, dialog, "settings.try_microphone")
    qtbot.waitUntil(lambda: found.trial is Trial.SPEAKING)
    return found


def tried(node: ScriptedNode, **about) -> None:
    node.tell(events.VoiceTried(VoiceTrialView(**about)))


def test_one_sees_how_loud_it_is_and_hears_oneself(qtbot, speaking: AudioPage, node: ScriptedNode) -> None:
    assert said(speaking).startswith("Say something")
    tried(node, level=200)
    qtbot.waitUntil(lambda: list(speaking._meter._levels) == [200])
    assert speaking._meter.isVisible()
    press(qtbot, speaking, "settings.try_microphone")
    qtbot.waitUntil(lambda: len(node.asked("hear")) == 1)
    assert speaking.trial is Trial.HEARING
    assert not speaking._meter.isVisible()
    tried(node, is_over=True)
    qtbot.waitUntil(lambda: speaking.trial is Trial.NONE)
    assert node.asked("stop_trial") == []


def test_who_hears_enough_ends_it(qtbot, speaking: AudioPage, node: ScriptedNode) -> None:
    for _ in range(2):
        press(qtbot, speaking, "settings.try_microphone")
    qtbot.waitUntil(lambda: len(node.asked("stop_trial")) == 1)
    assert speaking.trial is Trial.NONE


def test_who_forgets_to_stop_hears_it_by_itself(qtbot, speaking: AudioPage, node: ScriptedNode) -> None:
    speaking._limit.start(1)
    qtbot.waitUntil(lambda: len(node.asked("hear")) == 1)


def test_a_device_that_is_not_the_chosen_one_is_said_and_one_that_breaks_ends_it(
    qtbot, speaking: AudioPage, node: ScriptedNode
) -> None:
    tried(node, notice="The microphone “Headset” is not here.")
    qtbot.waitUntil(lambda: said(speaking) == "The microphone “Headset” is not here.")
    tried(node, notice="The sound system broke down.", is_over=True)
    qtbot.waitUntil(lambda: speaking.trial is Trial.NONE)
    assert said(speaking) == "The sound system broke down."


def test_no_microphone_after_all_is_said(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    found = audio(qtbot, dialog)
    node.refusals["speak"] = refuse(RefusalCode.NO_MICROPHONE, "No microphone works here.")
    press(qtbot, dialog, "settings.try_microphone")
    qtbot.waitUntil(lambda: said(dialog) == "No microphone works here.")
    assert found.trial is Trial.NONE


def test_what_is_done_to_the_voice_is_chosen_apart(qtbot, dialog: SettingsDialog, node: ScriptedNode) -> None:
    audio(qtbot, dialog)
    boxes = [dialog.findChild(CheckBox, f"settings.{name}") for name in ("echo", "noise", "gain")]
    qtbot.waitUntil(lambda: all(box.isEnabled() and box.isChecked() for box in boxes))
    boxes[1].click()
    boxes[2].click()
    qtbot.waitUntil(lambda: node.calls.switches == Switches(echo=True, noise=False, gain=False))


def test_where_nothing_can_be_done_to_the_voice_that_is_said(qtbot, window: MainWindow, node: ScriptedNode) -> None:
    node.voice_trial.lacks = "Echo and noise cannot be removed on this computer."
    window.login.signed_in.emit(make_session())
    window._open_settings()
    found = window.findChild(AudioPage)
    qtbot.waitUntil(lambda: found._processing_row.hint.text() == node.voice_trial.lacks)
    assert not any(box.isEnabled() for box in found._boxes.values())


def test_who_leaves_the_page_is_not_listened_to(
    qtbot, speaking: AudioPage, dialog: SettingsDialog, node: ScriptedNode
) -> None:
    page(qtbot, dialog, FILES)
    qtbot.waitUntil(lambda: len(node.asked("stop_trial")) == 1)
    assert speaking.trial is Trial.NONE


@pytest.mark.parametrize("closes", [False, True])
def test_who_leaves_while_it_begins_is_not_listened_to(
    qtbot, dialog: SettingsDialog, node: ScriptedNode, closes: bool
) -> None:
    audio(qtbot, dialog)
    node.gate = asyncio.Event()
    press(qtbot, dialog, "settings.try_microphone")
    qtbot.waitUntil(lambda: len(node.asked("speak")) == 1)
    if closes:
        press(qtbot, dialog, "settings.close")
        qtbot.waitUntil(lambda: not isValid(dialog))
    else:
        page(qtbot, dialog, FILES)
    node.loop.call_soon_threadsafe(node.gate.set)
    qtbot.waitUntil(lambda: len(node.asked("stop_trial")) == 1)


def test_who_closes_the_settings_while_speaking_leaves_nothing(
    qtbot, speaking: AudioPage, dialog: SettingsDialog, node: ScriptedNode
) -> None:
    press(qtbot, dialog, "settings.close")
    qtbot.waitUntil(lambda: len(node.asked("stop_trial")) == 1)


def test_the_settings_of_somebody_who_was_signed_out_are_closed(
    qtbot, window: MainWindow, dialog: SettingsDialog
) -> None:
    window._logged_out(None)
    assert not dialog.isVisible()


@pytest.mark.parametrize("size", [(360, 480), (380, 640), (1180, 720)])
def test_everything_has_room(qtbot, window: MainWindow, node: ScriptedNode, size: tuple[int, int]) -> None:
    node.voice.here = DEVICES
    window.resize(*size)
    window.login.signed_in.emit(make_session())
    window._open_settings()
    dialog = window.findChild(SettingsDialog)
    assert dialog.width() <= window.width()
    assert dialog.height() <= window.height()
    for number in range(4):
        dialog.show_page(number)
        shown = dialog._pages.currentWidget()
        wanted = shown.widget().minimumSizeHint().width()
        assert wanted <= shown.viewport().width(), f"page {number} is cut off"

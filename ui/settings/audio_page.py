"""Which microphone and speaker, and what is done to our voice in calls: chosen, and tried as others would hear it."""

from collections.abc import Callable
from enum import Enum, auto
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from peer.audio.switches import Switches
from peer.errors import RefusalCode
from peer.events import Event, VoiceTried
from peer.views import AudioChoice, AudioDevices, VoiceTrialView
from ui.peer_bridge import Answer, PeerBridge, Work
from ui.settings.settings_row import SettingsRow, page_of
from ui.theme import fonts
from ui.theme.check_box import CheckBox
from ui.theme.choice_box import ChoiceBox
from ui.theme.controls import PushButton, Text, Theme
from ui.transfers.level_meter import LevelMeter
from ui.translations.refusals import refusal_text

_NAMES_WIDTH = 310
"""Devices have long names."""
TRIAL_MS = 10_000
"""Whoever forgets to stop is recorded no longer than that."""


class Trial(Enum):
    """How far somebody is who tries the microphone."""

    NONE = auto()
    STARTING = auto()
    SPEAKING = auto()
    """The meter shows how loud it is."""
    HEARING = auto()
    """What was said is played."""


class AudioPage(QWidget):
    """Shows what the node keeps for this account; what is said to try it takes the way of a call, and is not kept."""

    changed = Signal()
    """It takes another room."""

    def __init__(self, theme: Theme, bridge: PeerBridge, *, is_narrow: bool) -> None:
        super().__init__()
        self._bridge = bridge
        self._choice = AudioChoice()
        self._devices: AudioDevices | None = None
        self._trial = Trial.NONE
        self._notice = ""
        """What is told of the sound system while somebody tries it."""
        self.microphone = ChoiceBox(theme, self.tr("Microphone"), name="settings.microphone")
        self.speaker = ChoiceBox(theme, self.tr("Speaker"), name="settings.speaker")
        for box in (self.microphone, self.speaker):
            box.chosen.connect(self._choose)
        self._try = PushButton(self.tr("Try it"), name="settings.try_microphone")
        self._try.clicked.connect(self._next_step)
        self._tone = PushButton(self.tr("Play a tone"), name="settings.play_tone")
        self._tone.clicked.connect(self._play_tone)
        self._meter = LevelMeter(theme)
        self._meter.setObjectName("settings.meter")
        self._meter.setAccessibleName(self.tr("How loud the microphone is"))
        keeps_place = self._meter.sizePolicy()
        keeps_place.setRetainSizeWhenHidden(True)
        self._meter.setSizePolicy(keeps_place)
        trying = QWidget()
        line = QHBoxLayout(trying)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(self._try)
        line.addWidget(self._meter, 1)
        row = partial(SettingsRow, is_narrow=is_narrow, width=_NAMES_WIDTH)
        self._microphone_row = row(self.tr("Microphone"), self.microphone)
        self._speaker_row = row(self.tr("Speaker"), self.speaker)
        self._said = Text(role="secondary", face=fonts.font(fonts.CAPTION), wrap=True)
        self._said.setObjectName("settings.audio_said")
        self._said.hide()
        ends = self._speaker_buttons(is_narrow=is_narrow)
        self._boxes = self._make_boxes(theme)
        self._processing_row = SettingsRow(self.tr("Your voice in calls"), self._boxes_in_a_column(), is_narrow=True)
        self.setLayout(page_of(self._microphone_row, trying, self._speaker_row, ends, self._said, self._processing_row))
        self._limit = QTimer(self, singleShot=True, interval=TRIAL_MS)
        self._limit.timeout.connect(self._stop_speaking)
        bridge.events_arrived.connect(self._take)
        self._show()
        bridge.ask(self, lambda node: node.audio_choice(), self._choice_came)
        bridge.ask(self, lambda node: node.calls.processing(), self._switches_came)
        bridge.ask(self, lambda node: node.voice_trial.missing(), self._missing_came, lambda *_: None)

    def _speaker_buttons(self, *, is_narrow: bool) -> QWidget:
        again = PushButton(self.tr("Look for devices again"), name="settings.devices_again", kind="quiet")
        again.clicked.connect(self.look)
        ends = QWidget()
        below = QVBoxLayout(ends) if is_narrow else QHBoxLayout(ends)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self._tone, 0, Qt.AlignmentFlag.AlignLeft)
        if not is_narrow:
            below.addStretch()
        below.addWidget(again, 0, Qt.AlignmentFlag.AlignLeft)
        return ends

    def _make_boxes(self, theme: Theme) -> dict[str, CheckBox]:
        words = {
            "echo": self.tr("Remove the echo of the speaker"),
            "noise": self.tr("Remove noise"),
            "gain": self.tr("Even the loudness"),
        }
        boxes = {name: CheckBox(theme, shown, name=f"settings.{name}") for name, shown in words.items()}
        for box in boxes.values():
            box.setEnabled(False)
            box.clicked.connect(self._switch)
        return boxes

    def _boxes_in_a_column(self) -> QWidget:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        for box in self._boxes.values():
            layout.addWidget(box)
        return column

    @property
    def trial(self) -> Trial:
        """How far somebody is who tries the microphone."""
        return self._trial

    def look(self) -> None:
        """Ask which devices there are now."""
        self._say("")
        self._bridge.ask(self, lambda node: node.voice.devices(), self._devices_came, self._refused)

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of the microphone: nobody is listened to who does not see it."""
        super().hideEvent(event)
        self._end_trial()

    # --- what there is -------------------------------------------------------------------------

    def _choice_came(self, choice: AudioChoice) -> None:
        self._choice = choice
        self.look()

    def _devices_came(self, devices: AudioDevices) -> None:
        self._devices = devices
        self._show()

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._trial = Trial.NONE
        self._show()
        self._say(refusal_text(code, message), is_wrong=True)

    def _show(self) -> None:
        devices = self._devices
        inputs, default_input = (devices.inputs, devices.default_input) if devices is not None else ((), "")
        outputs, default_output = (devices.outputs, devices.default_output) if devices is not None else ((), "")
        self._fill(self.microphone, inputs, default_input, self._choice.microphone, self.tr("No microphone is here"))
        self._fill(self.speaker, outputs, default_output, self._choice.speaker, self.tr("No speaker is here"))
        is_idle = self._trial is Trial.NONE
        self._microphone_row.say(self._absence(inputs, self._choice.microphone))
        self._speaker_row.say(self._absence(outputs, self._choice.speaker))
        self.microphone.setEnabled(bool(inputs) and is_idle)
        self.speaker.setEnabled(bool(outputs) and is_idle)
        self._tone.setEnabled(bool(outputs) and is_idle)
        self._try.setEnabled(bool(inputs) and self._trial is not Trial.STARTING)
        self._meter.setVisible(self._trial is Trial.SPEAKING)
        words = {
            Trial.SPEAKING: self.tr("Stop and hear it"),
            Trial.HEARING: self.tr("Stop"),
        }
        self._try.setText(words.get(self._trial, self.tr("Try it")))
        self.changed.emit()

    def _fill(self, box: ChoiceBox, names: tuple[str, ...], default: str, chosen: str, none: str) -> None:
        if not names:
            box.offer([(chosen, none if self._devices is not None else "")], chosen)
            return
        system = self.tr("The system's choice")
        choices = [("", f"{system} ({default})" if default else system), *((name, name) for name in names)]
        if chosen and chosen not in names:
            choices.append((chosen, self.tr("%1 (not here)").replace("%1", chosen)))
        box.offer(choices, chosen)

    def _absence(self, names: tuple[str, ...], chosen: str) -> str:
        if self._devices is None:
            return ""
        if not names:
            return self.tr("Plug one in, and look again.")
        return self.tr("Until it is back, the system's choice is used.") if chosen and chosen not in names else ""

    def _choose(self, _word: str) -> None:
        choice = AudioChoice(self.microphone.currentData(), self.speaker.currentData())
        self._choice = choice
        self._bridge.ask(self, lambda node: node.choose_audio(choice))
        self._show()

    # --- what is done to the voice -------------------------------------------------------------

    def _switches_came(self, switches: Switches) -> None:
        for name, box in self._boxes.items():
            box.setChecked(getattr(switches, name))
            box.setEnabled(not self._processing_row.hint.text())

    def _missing_came(self, sentence: str) -> None:
        self._processing_row.say(sentence)
        for box in self._boxes.values():
            box.setEnabled(box.isEnabled() and not sentence)
        self.changed.emit()

    def _switch(self) -> None:
        echo, noise, gain = (box.isChecked() for box in self._boxes.values())
        self._bridge.ask(self, lambda node: node.calls.set_processing(echo, noise, gain))

    # --- trying ----------------------------------------------------------------------------------

    def _next_step(self) -> None:
        match self._trial:
            case Trial.NONE:
                self._meter.clear()
                self._notice = ""
                self._go_to(Trial.STARTING)
                self._ask(lambda node: node.voice_trial.speak(), self._started)
            case Trial.SPEAKING:
                self._stop_speaking()
            case Trial.HEARING:
                self._end_trial()

    def _started(self, _nothing: None) -> None:
        if self._trial is not Trial.STARTING:  # the page was left meanwhile
            self._ask(lambda node: node.voice_trial.stop())
            return
        self._limit.start()
        self._go_to(Trial.SPEAKING)
        self._say_notice()

    def _stop_speaking(self) -> None:
        self._limit.stop()
        if self._trial is Trial.SPEAKING:
            self._go_to(Trial.HEARING)
            self._say_notice()
            self._ask(lambda node: node.voice_trial.hear())

    def _play_tone(self) -> None:
        self._say("")
        self._bridge.ask(self, lambda node: node.voice.play_tone(), None, self._refused)

    def _end_trial(self) -> None:
        """Let go of the microphone and the speaker, however far it is."""
        self._limit.stop()
        was, self._trial = self._trial, Trial.NONE
        if was in {Trial.SPEAKING, Trial.HEARING}:
            self._ask(lambda node: node.voice_trial.stop())
        if was is not Trial.NONE:
            self._say("")
            self._show()

    def _ask(self, work: Work[Answer], done: Callable[[Answer], None] | None = None) -> None:
        """Have the node do something of a trial; told also when this page is gone by then: nobody is listened to."""

        def refused(code: RefusalCode, message: str) -> None:
            if self._trial is not Trial.NONE:
                self._limit.stop()
                self._refused(code, message)

        self._bridge.ask(self._bridge, work, done, refused)

    def _take(self, batch: list[Event]) -> None:
        for event in batch:
            if isinstance(event, VoiceTried) and self._trial in {Trial.SPEAKING, Trial.HEARING}:
                self._follow(event.trial)

    def _follow(self, view: VoiceTrialView) -> None:
        if view.is_over:
            self._limit.stop()
            self._go_to(Trial.NONE)
            self._say(view.notice, is_wrong=True)
            return
        if self._trial is Trial.SPEAKING:
            self._meter.add(view.level)
        if view.notice != self._notice:
            self._notice = view.notice
            self._say_notice()

    def _say_notice(self) -> None:
        """Say what to do, and what is not as it was chosen."""
        words = self.tr("Say something, then hear it as others would. Nothing of it is kept or sent.")
        todo = words if self._trial is Trial.SPEAKING else ""
        self._say(self._notice or todo)

    # --- inside ------------------------------------------------------------------------------------

    def _go_to(self, trial: Trial) -> None:
        self._trial = trial
        self._show()

    def _say(self, sentence: str, *, is_wrong: bool = False) -> None:
        self._said.set_role("error" if is_wrong else "secondary")
        self._said.setText(sentence)
        self._said.setVisible(bool(sentence))
        self.changed.emit()

"""Records a voice message: hold the button or click it, see how loud it is, listen first, send or throw away."""

from enum import Enum, auto

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.events import Event, RecordingChanged
from peer.views import ConversationId, RecordingView, VoiceFile
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import IconButton, Text, Theme
from ui.transfers.level_meter import LevelMeter
from ui.transfers.voice_playback import VoicePlayback
from ui.translations import attachments
from ui.translations.refusals import refusal_text

_HOLD_MS = 500
"""Who keeps the button down longer speaks while holding it; letting go sends."""


class Recording(Enum):
    """What the recorder is doing."""

    IDLE = auto()
    STARTING = auto()
    """The microphone was asked for."""
    RECORDING = auto()
    FINISHING = auto()
    """The file is being closed."""
    LISTENING = auto()
    """There is a recording, to be heard, sent or thrown away."""


class VoiceRecorder(QWidget):
    """The bar that stands in the place of the input meanwhile, and the button that begins it."""

    changed = Signal()
    """It begins, or is over, or has something to send."""
    recorded = Signal(object)
    """A `VoiceFile` that is to be sent."""
    said = Signal(str)
    """A sentence to show for a moment."""

    def __init__(self, theme: Theme, bridge: PeerBridge, playback: VoicePlayback) -> None:
        super().__init__()
        self.setObjectName("recorder")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._bridge = bridge
        self._playback = playback
        self._state = Recording.IDLE
        self._voice: VoiceFile | None = None
        self._then: Recording | None = None
        """What is wanted as soon as it can be: to listen, or nothing any more."""
        self._sends = False
        """Whether it is sent as soon as it is finished."""
        self._conversation: ConversationId | None = None
        self._owner: ConversationId | None = None
        """For whom the present recording is meant."""
        self._kept: dict[ConversationId, VoiceFile] = {}
        """Recordings for other conversations."""
        self._held = QElapsedTimer()
        self.microphone = _HoldButton(theme, "mic", "", name="conversation.microphone", area=40)
        self.microphone.pushed.connect(self._pushed)
        self.microphone.let_go.connect(self._let_go)
        self._throw_away = IconButton(theme, "trash-2", self.tr("Throw away (Esc)"), name="recorder.cancel", area=40)
        self._throw_away.clicked.connect(self.cancel)
        self._play = IconButton(theme, "play", "", name="recorder.play", area=40)
        self._play.clicked.connect(self._toggle)
        self._time = Text(face=fonts.font(fonts.CAPTION))
        self._time.setObjectName("recorder.time")
        self._meter = LevelMeter(theme)
        self._meter.sought.connect(self._seek)
        self._meter.pointed.connect(self._show_time)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self._throw_away, self._play):
            layout.addWidget(part)
        layout.addWidget(self._meter, 1)
        layout.addWidget(self._time)
        bridge.events_arrived.connect(self._take)
        playback.changed.connect(self._playback_changed)
        self._plays = False
        """Whether it is being listened to."""
        theme.dress(self, VoiceRecorder._dress)
        self._show_state()

    @property
    def state(self) -> Recording:
        """What it is doing."""
        return self._state

    @property
    def is_on(self) -> bool:
        """Whether it stands in the place of the input."""
        return self._state is not Recording.IDLE

    def show_conversation(self, conversation: ConversationId | None) -> None:
        """Another one is open: what is recorded for the one before waits there."""
        if conversation == self._conversation:
            return
        self._conversation = conversation
        match self._state:
            case Recording.LISTENING if self._voice is not None and self._owner is not None:
                self._kept[self._owner] = self._voice
                self._rest()
            case Recording.STARTING | Recording.RECORDING:
                self._sends = False
                self.stop()
        if self._state is Recording.IDLE and conversation in self._kept and conversation is not None:
            self._listen(self._kept.pop(conversation), conversation)

    def forget(self) -> None:
        """Somebody else signs in: nothing of it is theirs."""
        self.cancel()
        self._kept.clear()
        self._conversation = None

    def give_back(self, conversation: ConversationId, voice: VoiceFile) -> None:
        """It could not be sent: nothing is lost."""
        if conversation == self._conversation and self._state is Recording.IDLE:
            self._listen(voice, conversation)
        else:
            self._kept[conversation] = voice

    # --- what a person does -----------------------------------------------------------------------

    def start(self) -> None:
        """Begin to record."""
        if self._state is not Recording.IDLE or self._conversation is None:
            return
        self._playback.pause()
        self._owner, self._then, self._sends = self._conversation, None, False
        self._meter.clear()
        self._set(Recording.STARTING)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._bridge.ask(self, lambda node: node.voice.start_recording(), self._started, self._not_started)

    def stop(self) -> None:
        """End recording, to listen first."""
        if self._state is Recording.STARTING:
            self._then = Recording.LISTENING
        elif self._state is Recording.RECORDING:
            self._set(Recording.FINISHING)
            self._bridge.ask(self, lambda node: node.voice.finish_recording(), self._finished, self._not_finished)

    def send(self) -> None:
        """Send it, recorded or still being recorded."""
        if self._state is Recording.LISTENING and self._voice is not None:
            voice = self._voice
            self._playback.pause()
            self._rest()
            self.recorded.emit(voice)
        else:
            self._sends = True
            self.stop()

    def cancel(self) -> None:
        """Throw it away."""
        self._sends = False
        match self._state:
            case Recording.STARTING:
                self._then = Recording.IDLE
            case Recording.RECORDING:
                self._rest()
                self._bridge.ask(self, lambda node: node.voice.cancel_recording())
            case Recording.FINISHING:
                self._then = Recording.IDLE
            case Recording.LISTENING:
                self._drop(self._voice)
                self._rest()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc throws away, Enter sends, Space stops or plays, arrows skip."""
        match event.key():
            case Qt.Key.Key_Escape:
                self.cancel()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.send()
            case Qt.Key.Key_Left | Qt.Key.Key_Right if self._voice is not None:
                forward = event.key() == Qt.Key.Key_Right
                self._playback.skip(self._voice.path, self._voice.duration, forward=forward)
            case Qt.Key.Key_Space if not event.isAutoRepeat():
                (self._toggle if self._state is Recording.LISTENING else self.stop)()
            case _:
                super().keyPressEvent(event)

    def _pushed(self) -> None:
        if self._state is Recording.IDLE:
            self._held.start()
            self.start()
        else:
            self._held.invalidate()
            self.stop()

    def _let_go(self, inside: bool) -> None:
        """After a click it goes on; who held the button sends by letting go, or throws away by letting go elsewhere."""
        if self._held.isValid() and self._held.elapsed() >= _HOLD_MS:
            (self.send if inside else self.cancel)()
        self._held.invalidate()

    # --- what the node says -------------------------------------------------------------------------

    def _started(self, _nothing: None) -> None:
        if self._state is not Recording.STARTING:
            return
        wanted, self._then = self._then, None
        self._set(Recording.RECORDING)
        if wanted is Recording.LISTENING:
            self.stop()
        elif wanted is Recording.IDLE:
            self.cancel()

    def _not_started(self, code: RefusalCode, message: str) -> None:
        self._rest()
        self.said.emit(refusal_text(code, message))

    def _finished(self, voice: VoiceFile) -> None:
        owner, wanted, sends = self._owner, self._then, self._sends
        self._then, self._sends = None, False
        if wanted is Recording.IDLE or owner is None:
            self._drop(voice)
            self._rest()
        elif owner != self._conversation:
            self._kept[owner] = voice
            self._rest()
            # What was recorded for the one that is open now may wait too.
            kept = self._kept.pop(self._conversation, None) if self._conversation is not None else None
            if kept is not None and self._conversation is not None:
                self._listen(kept, self._conversation)
        elif sends:
            self._rest()
            self.recorded.emit(voice)
        else:
            self._listen(voice, owner)

    def _not_finished(self, code: RefusalCode, message: str) -> None:
        self._rest()
        self.said.emit(refusal_text(code, message))

    def _take(self, batch: list[Event]) -> None:
        for event in batch:
            if isinstance(event, RecordingChanged) and self._state is Recording.RECORDING:
                self._follow(event.recording)

    def _follow(self, view: RecordingView) -> None:
        self._time.setText(attachments.length(view.seconds))
        self._meter.add(view.level)
        if view.is_over:
            # It ended by itself: after ten minutes, or the microphone was unplugged.
            if view.reason:
                self.said.emit(view.reason)
            self.stop()

    def _playback_changed(self, path: str) -> None:
        if self._voice is None or path != self._voice.path:
            return
        playing = self._playback.of(path)
        self._meter.show_voice(self._voice.waveform, attachments.share_of_time(playing.at, self._voice.duration))
        self._show_time()
        self._show_play(is_playing=playing.is_playing)

    def _show_time(self) -> None:
        """Say where one is in a recording, or where a click would lead, or how long it is."""
        if self._voice is None:
            return
        playing = self._playback.of(self._voice.path)
        shown = playing.at if playing.is_playing or playing.at else self._voice.duration
        if self._meter.hovered is not None:
            shown = self._meter.hovered * self._voice.duration
        self._time.setText(attachments.length(shown))

    # --- inside ----------------------------------------------------------------------------------

    def _listen(self, voice: VoiceFile, conversation: ConversationId) -> None:
        self._voice, self._owner = voice, conversation
        self._meter.show_voice(voice.waveform, 0.0)
        self._time.setText(attachments.length(voice.duration))
        self._set(Recording.LISTENING)

    def _toggle(self) -> None:
        if self._voice is not None:
            self._playback.toggle(self._voice.path)

    def _seek(self, share: float) -> None:
        if self._voice is not None:
            self._playback.seek(self._voice.path, share * self._voice.duration)

    def _drop(self, voice: VoiceFile | None) -> None:
        if voice is not None:
            path = voice.path
            if self._playback.of(path).is_playing:
                self._playback.pause()
            # What is left when nobody is signed in any more is removed before the next recording.
            self._bridge.ask(self, lambda node: node.voice.discard(path), None, lambda *_: None)

    def _rest(self) -> None:
        self._voice = self._owner = None
        self._set(Recording.IDLE)

    def _set(self, state: Recording) -> None:
        self._state = state
        self._show_state()
        self.changed.emit()

    def _show_state(self) -> None:
        listens = self._state is Recording.LISTENING
        self._play.setVisible(listens)
        self._show_play(is_playing=False)
        self._meter.set_live(live=not listens)
        if self._state in {Recording.STARTING, Recording.IDLE}:
            self._time.setText(attachments.length(0))
        is_idle = self._state is Recording.IDLE
        idle_words = self.tr("Record a voice message: click, or hold while you speak")
        self.microphone.set_label(idle_words if is_idle else self.tr("Stop and listen (Space)"))
        words = {
            Recording.LISTENING: self.tr("Recorded voice message: Enter sends, Space plays, Esc throws away"),
        }.get(self._state, self.tr("Recording: Enter sends, Space stops, Esc throws away"))
        self.setAccessibleName(words)

    def _show_play(self, *, is_playing: bool) -> None:
        self._plays = is_playing
        self._play.set_label(self.tr("Pause (Space)") if is_playing else self.tr("Listen (Space)"))
        self._dress()

    def _dress(self) -> None:
        """Give the buttons the icons of this moment in the colours of this moment."""
        icons, tokens = self._theme.icons, self._theme.tokens
        is_idle = self._state is Recording.IDLE
        microphone = ("mic", tokens.secondary) if is_idle else ("square", tokens.danger)
        self.microphone.setIcon(icons.icon(*microphone, 20))
        self._play.setIcon(icons.icon("pause" if self._plays else "play", tokens.accent, 20))


class _HoldButton(IconButton):
    """Tells when it goes down and when it is let go, and where; with a key it is only pushed."""

    pushed = Signal()
    let_go = Signal(bool)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go down."""
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.pushed.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Come up, under the mouse or not."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.let_go.emit(self.rect().contains(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pushed by a key; held down it repeats, which means nothing."""
        if event.key() in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if not event.isAutoRepeat():
                self.pushed.emit()
        else:
            super().keyPressEvent(event)

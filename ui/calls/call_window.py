"""The window of a call: who it is with, how it stands, and what one can do. Always dark."""

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QCloseEvent, QHideEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.call_views import CallEnd, CallId, CallLevelsView, CallState, CallView
from ui.calls.call_actions import CallActions
from ui.calls.devices_menu import DevicesMenu
from ui.calls.level_bar import LevelBar
from ui.calls.notice_lines import NoticeLines
from ui.calls.quality_bars import QualityBars
from ui.calls.round_button import RoundButton
from ui.calls.stage import Stage
from ui.models.call_book import is_over
from ui.theme import fonts
from ui.theme.appearance import palette
from ui.theme.controls import ElidedText, PushButton, Text, Theme, restyle
from ui.theme.stylesheet import style_sheet
from ui.translations import calls

_SIZE, _SMALLEST = QSize(520, 600), QSize(340, 480)
_WORDS_FROM = 460
"""Pixels from which on the quality is said in words, too."""
_GOES_MS = 4_000
"""How long the window stays when the other side has hung up, unless somebody points at it."""


def dress_dark(window: QWidget, theme: Theme) -> None:
    """Let a window be dark whatever the rest of the program is; `theme` has the dark tokens."""
    window.setStyleSheet(style_sheet(theme.tokens))
    window.setPalette(palette(theme.tokens))


class CallWindow(QWidget):
    """Shows the call we are in, and then how it ended."""

    mute_wanted = Signal(bool)
    hang_up_wanted = Signal()
    again_wanted = Signal()
    """Call the same people once more."""
    volume_wanted = Signal(str, float)
    small_wanted = Signal()
    """The call goes on in a little window."""
    put_away = Signal()
    """Somebody closed this window while the call goes on."""

    def __init__(self, theme: Theme, actions: CallActions) -> None:
        """`theme` has the dark tokens."""
        super().__init__()
        self._theme = theme
        self._call: CallId | None = None
        self._shown: CallView | None = None
        self.setObjectName("call")
        self.setProperty("role", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        dress_dark(self, theme)
        # The window itself has the focus until somebody goes to a button by the tabulator.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(_SMALLEST)
        self.resize(_SIZE)
        self.stage = Stage(theme)
        self.stage.volume_wanted.connect(self.volume_wanted)
        self.notices = NoticeLines(theme)
        self._lock = QLabel()
        theme.put_picture(self._lock, "lock", 14)
        self._way = ElidedText(face=fonts.font(fonts.CAPTION))
        self._way.setObjectName("call.way")
        self._bars = QualityBars(theme)
        self._quality = Text(face=fonts.font(fonts.CAPTION))
        self._quality.setObjectName("call.quality")
        self._title = ElidedText(face=fonts.bold(fonts.HEADING))
        self._title.setObjectName("call.title")
        self._state = Text(role="secondary", wrap=True, face=fonts.font(fonts.TITLE))
        self._state.setObjectName("call.state")
        self._own_sign = QLabel()
        self.level = LevelBar(theme, self.tr("How loud your microphone is"))
        self.level.setObjectName("call.level")
        self._mute = RoundButton(theme, "mic", "", name="call.mute", kind="call")
        self._devices = RoundButton(
            theme, "headphones", self.tr("Microphone and speaker"), name="call.devices", kind="call"
        )
        self._devices.setMenu(DevicesMenu(actions, self))
        self._devices.setPopupMode(RoundButton.ToolButtonPopupMode.InstantPopup)
        self._small = RoundButton(
            theme, "minimize-2", self.tr("Go on in a little window (Esc)"), name="call.small", kind="call"
        )
        self._hang_up = RoundButton(
            theme, "phone-off", self.tr("Hang up (Ctrl+Shift+H)"), name="call.hang_up", kind="hang_up"
        )
        self._again = PushButton(self.tr("Call again"), name="call.again", kind="answer")
        self._close = PushButton(self.tr("Close"), name="call.close")
        self._running, self._over = QWidget(), QWidget()
        """The buttons of a call that goes on, and those of one that is over."""
        self._goes = QTimer(self, singleShot=True, interval=_GOES_MS)
        self._goes.timeout.connect(self._go)
        self._build()
        self._connect()

    # --- what is shown ---------------------------------------------------------------------------

    def show_call(self, call: CallView) -> None:
        """Show how it stands."""
        before, self._shown = self._shown, call
        if self._call != call.call:
            self._call = call.call
            self._goes.stop()
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            self.notices.begin()
        over = is_over(call)
        self._title.set_whole(calls.title(call))
        self.setWindowTitle(self._window_title(call))
        self.stage.show_call(call)
        progress = calls.progress(call)
        if progress:
            self._state.setText(progress)
        self._show_way(call)
        self.notices.show_call(call)
        self._show_mute(call)
        for part in (self._own_sign, self.level, self._running):
            part.setVisible(not over)
        self._over.setVisible(over)
        self._again.setText(self.tr("Join again") if call.state is CallState.AVAILABLE else self.tr("Call again"))
        if over:
            self.level.show_level(0)
        if before is None or (before.call, before.state) != (call.call, call.state):
            self._state_changed(call)

    def shows(self, call: CallView) -> bool:
        """Tell whether it is this call that is shown, or whose end is."""
        return call.call == self._call

    def appear(self) -> None:
        """Be seen, and let who types elsewhere go on typing there."""
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, True)
        self.show()
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, False)

    def forget(self) -> None:
        """Nobody is signed in."""
        self._call = self._shown = None
        self.close()

    def show_levels(self, levels: CallLevelsView) -> None:
        """Show how loud everybody is."""
        if levels.call == self._call and not self.isHidden():
            self.stage.show_levels(levels)
            self.level.show_level(levels.level)

    def show_time(self, words: str) -> None:
        """Show how long it lasts."""
        if self._shown is not None and not calls.progress(self._shown):
            self._state.setText(words)

    def let_call_again(self, *, allowed: bool, reason: str) -> None:
        """Offer to call once more, or say why that cannot be."""
        self._again.setEnabled(allowed)
        self._again.setToolTip(reason)

    # --- what the person does --------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """A call that goes on does so without this window."""
        self._goes.stop()
        super().closeEvent(event)
        if self._shown is not None and not is_over(self._shown):
            self.put_away.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the bars say it without words."""
        super().resizeEvent(event)
        if self._shown is not None:
            self._show_way(self._shown)

    def changeEvent(self, event: QEvent) -> None:
        """Made small by the system's own button."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self.isMinimized():
            self.small_wanted.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody is ringed when it comes back, before they speak."""
        super().hideEvent(event)
        for tile in self.stage.tiles().values():
            tile.show_level(0, speaks=False)

    # --- inside ----------------------------------------------------------------------------------

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self._lock)
        top.addWidget(self._way, 1)
        top.addWidget(self._bars, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._quality)
        for text in (self._title, self._state):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        own = QHBoxLayout()
        own.setSpacing(8)
        own.addStretch()
        own.addWidget(self._own_sign)
        own.addWidget(self.level)
        own.addStretch()
        _row(self._running, self._mute, self._devices, self._small, self._hang_up)
        _row(self._over, self._again, self._close)
        buttons = QVBoxLayout()
        buttons.addWidget(self._running)
        buttons.addWidget(self._over)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 24)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addSpacing(8)
        layout.addWidget(self.notices)
        layout.addStretch(1)
        layout.addWidget(self.stage, 1000)
        layout.addSpacing(8)
        layout.addWidget(self._title)
        layout.addSpacing(4)
        layout.addWidget(self._state)
        layout.addSpacing(16)
        layout.addStretch(1)
        layout.addLayout(own)
        layout.addSpacing(16)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self._mute.clicked.connect(self._toggle_mute)
        self._hang_up.clicked.connect(self.hang_up_wanted)
        self._small.clicked.connect(self.small_wanted)
        self._again.clicked.connect(self.again_wanted)
        self._close.clicked.connect(self.close)
        for keys, button in (("M", self._mute), ("Ctrl+M", self._mute), ("Ctrl+Shift+H", self._hang_up)):
            QShortcut(QKeySequence(keys), self, lambda button=button: self._press(button))
        QShortcut(QKeySequence("Esc"), self, self._leave)

    def _toggle_mute(self) -> None:
        if self._shown is not None:
            self.mute_wanted.emit(not self._shown.is_muted)

    def _press(self, button: RoundButton) -> None:
        if button.isVisible() and button.isEnabled():
            button.click()

    def _leave(self) -> None:
        if self._over.isVisible():
            self.close()
        else:
            self.small_wanted.emit()

    def _show_way(self, call: CallView) -> None:
        heard = [person for person in call.people if person.state is CallState.ACTIVE]
        ways = {person.path for person in heard if person.path}
        way = calls.path("tcp" if "tcp" in ways else next(iter(ways), ""))
        is_running = call.state is CallState.ACTIVE
        safe = self.tr("End-to-end encrypted")
        self._way.set_whole(f"{safe} · {way}" if way and is_running else safe)
        known = [person for person in heard if person.quality]
        worst = min(known, key=lambda person: person.quality, default=None) if is_running else None
        self._bars.show_quality(0 if worst is None else worst.quality)
        self._bars.setVisible(worst is not None)
        delays = [person.delay_ms for person in heard if person.delay_ms is not None]
        delay = calls.milliseconds(max(delays)) if worst is not None and delays else ""
        words = "" if worst is None else calls.quality(worst.quality)
        self._quality.setText(" · ".join(filter(None, (words if self.width() >= _WORDS_FROM else "", delay))))
        tip = "" if worst is None else f"{calls.quality(worst.quality)}: {calls.figures(worst)}"
        for part in (self._bars, self._quality):
            part.setToolTip(tip)
        self._quality.setAccessibleName(tip)

    def _show_mute(self, call: CallView) -> None:
        icon = "mic-off" if call.is_muted or not call.has_microphone else "mic"
        tokens, side = self._theme.tokens, self._mute.iconSize().width()
        self._mute.setIcon(self._theme.icons.icon(icon, tokens.window if call.is_muted else tokens.text, side))
        if self._mute.property("isOn") != call.is_muted:
            self._mute.setProperty("isOn", call.is_muted)
            restyle(self._mute)
        self._mute.set_label(self.tr("Unmute (M)") if call.is_muted else self.tr("Mute (M)"))
        self._mute.setEnabled(call.has_microphone)
        self._own_sign.setPixmap(self._theme.icons.pixmap(icon, tokens.secondary, 16, self.devicePixelRatioF()))
        if call.is_muted:
            self.level.show_level(0)

    def _state_changed(self, call: CallView) -> None:
        """Have it read aloud; and let who hung up be seen for a moment only."""
        words = calls.progress(call) or self.tr("You are connected.")
        self._state.setAccessibleName("" if call.state is CallState.ACTIVE else words)
        self.setAccessibleName(f"{calls.title(call)}: {words}")
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        if is_over(call):
            self._again.setFocus(Qt.FocusReason.OtherFocusReason)
            if call.reason is CallEnd.HUNG_UP:
                self._goes.start()

    def _window_title(self, call: CallView) -> str:
        return self.tr("Call with %1").replace("%1", calls.title(call)) if not call.is_group else self.tr(
            "Call in %1"
        ).replace("%1", calls.title(call))  # fmt: skip

    def _go(self) -> None:
        if self.underMouse():
            self._goes.start()
        else:
            self.close()


def _row(place: QWidget, *buttons: QWidget) -> None:
    row = QBoxLayout(QBoxLayout.Direction.LeftToRight, place)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(18)
    row.addStretch()
    for button in buttons:
        row.addWidget(button)
    row.addStretch()

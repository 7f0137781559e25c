"""Where a message is written: grows to six lines, Enter sends, Shift+Enter begins a new line.

Files wait in a tray above the input until they are sent, with what is written as their caption.
"""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from ui.conversation.composer_bar import ComposerBar
from ui.conversation.mention_highlighter import MentionHighlighter
from ui.conversation.mention_text import NameTable
from ui.conversation.message_input import MessageInput
from ui.conversation.typing_line import TypingLine
from ui.theme.controls import IconButton, Theme
from ui.transfers.offered_files import OfferedFiles
from ui.transfers.tray import MOST_ITEMS, AttachmentTray, TrayItem
from ui.transfers.voice_recorder import Recording, VoiceRecorder

_NARROW = 400
"""Below this width the input has few words in it."""
_WIDE = 480
"""From this width on there is a button for screenshots."""


class Composer(QWidget):
    """The tray, the input, and the buttons beside it."""

    text_changed = Signal()
    names_changed = Signal(object)
    """The new `NameTable`."""
    typed = Signal()
    """Somebody changed what stands in the input, and something does."""
    sent = Signal(str)
    """A text that is not empty."""
    files_sent = Signal(list, str)
    """What was in the tray, and its caption."""
    said = Signal(str)
    """A sentence to show for a moment."""
    emoji_wanted = Signal()
    screenshot_wanted = Signal(bool)
    """Whether without this window."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "footer")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._offered = OfferedFiles()
        self.tray = AttachmentTray(theme)
        self.tray.changed.connect(self._tray_changed)
        self.bar = ComposerBar(theme)
        self._is_editing = False
        self.input = MessageInput()
        self.input.submitted.connect(self._send)
        self.input.files_pasted.connect(self.offer)
        self.input.textChanged.connect(self._text_changed)
        self._highlighter = MentionHighlighter(theme, self.input.document())
        self.names = NameTable()
        """Who can be named here."""
        self._last_text = ""
        self._is_given = False
        """Whether the text changes because it is put there, not typed."""
        self.typing = TypingLine()
        self._attach = IconButton(theme, "paperclip", self.tr("Attach"), name="conversation.attach", area=40)
        self._attach.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self._attach.setMenu(self._attach_menu(theme))
        self._button = self._send_button(theme, "conversation.send", "send-horizontal", self.tr("Send (Enter)"))
        self._save = self._send_button(theme, "conversation.save", "check", self.tr("Save the change (Enter)"))
        self._save.hide()
        self._screenshot = IconButton(
            theme, "scissors", self.tr("Screenshot (Ctrl+Shift+S)"), name="conversation.screenshot", area=40
        )
        self._screenshot.clicked.connect(lambda: self.screenshot_wanted.emit(False))
        self._emoji = IconButton(theme, "smile", self.tr("Emoji (Ctrl+.)"), name="conversation.emoji", area=40)
        self._emoji.clicked.connect(self.emoji_wanted)
        self._writing = QWidget()
        """What gives way to the recorder."""
        self._row = QHBoxLayout()
        self._recorder: VoiceRecorder | None = None
        self._build()
        self._tray_changed()

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(2)
        tools.addWidget(self._attach)
        tools.addWidget(self._screenshot)
        writing = QHBoxLayout(self._writing)
        writing.setContentsMargins(0, 0, 0, 0)
        writing.setSpacing(8)
        writing.addLayout(tools)
        writing.addWidget(self.input, 1)
        writing.addWidget(self._emoji)
        writing.setAlignment(tools, Qt.AlignmentFlag.AlignBottom)
        writing.setAlignment(self._emoji, Qt.AlignmentFlag.AlignBottom)
        self._row.setSpacing(8)
        self._row.addWidget(self._writing, 1)
        for button in (self._button, self._save):
            self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        above = QVBoxLayout()
        above.setContentsMargins(8, 0, 0, 0)
        above.addWidget(self.typing)
        parts = QVBoxLayout()
        parts.setSpacing(10)
        parts.addWidget(self.bar)
        parts.addWidget(self.tray)
        parts.addLayout(self._row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 2, 16, 11)
        layout.setSpacing(2)
        layout.addLayout(above)
        layout.addLayout(parts)

    def _send_button(self, theme: Theme, name: str, icon: str, hint: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setProperty("kind", "send")
        theme.put_icon(button, icon, 20, "on_accent", disabled="secondary")
        button.setIconSize(QSize(20, 20))
        button.setFixedSize(40, 40)
        button.setToolTip(hint)
        button.setAccessibleName(hint.partition(" (")[0])
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(self._send)
        return button

    def put_recorder(self, recorder: VoiceRecorder) -> None:
        """Offer to record voice messages."""
        self._recorder = recorder
        self._row.insertWidget(1, recorder, 1)
        self._row.insertWidget(2, recorder.microphone, 0, Qt.AlignmentFlag.AlignBottom)
        recorder.changed.connect(self._recorder_changed)
        self._recorder_changed()

    def take_focus(self) -> None:
        """Be written in."""
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_editing(self, *, is_editing: bool) -> None:
        """Hold a message that is being changed: files are sent with new ones only."""
        self._is_editing = is_editing
        for button in (self._attach, self._screenshot):
            button.setEnabled(not is_editing)
        self._button.setVisible(not is_editing)
        self._save.setVisible(is_editing)
        self.tray.setVisible(bool(self.tray.items) and not is_editing)
        self._allow_sending()

    def text(self) -> str:
        """Return what stands there now."""
        return self.input.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a draft back, with the cursor at its end."""
        self._is_given = True
        self.input.setPlainText(text)
        self._is_given = False
        self.input.moveCursor(self.input.textCursor().MoveOperation.End)

    def type_in(self, text: str) -> None:
        """Take letters that were typed elsewhere."""
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)
        self.input.insertPlainText(text)

    def offer(self, data: QMimeData) -> None:
        """Put what was dropped or pasted into the tray."""
        self.add(self._offered.take(data))

    def add(self, items: Iterable[TrayItem]) -> None:
        """Put files into the tray."""
        left_out = self.tray.add(items)
        if left_out:
            self.said.emit(self.tr("No more than %1 at once: put them into a folder.").replace("%1", str(MOST_ITEMS)))
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)

    def add_picture(self, picture: QImage) -> None:
        """Put a picture that has no file yet into the tray."""
        self.add(self._offered.keep(picture))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what the menu has too gives way."""
        super().resizeEvent(event)
        self._screenshot.setVisible(self.width() >= _WIDE)
        self._choose_words()
        self._choose_buttons()

    def _attach_menu(self, theme: Theme) -> QMenu:
        menu = QMenu(self)
        files = menu.addAction(self.tr("Files…"), self._choose_files)
        files.setObjectName("conversation.attach.files")
        folder = menu.addAction(self.tr("Folder…"), self._choose_folder)
        folder.setObjectName("conversation.attach.folder")
        menu.addSeparator()
        shot = menu.addAction(self.tr("Screenshot…"), lambda: self.screenshot_wanted.emit(False))
        shot.setObjectName("conversation.attach.screenshot")
        shot_without = menu.addAction(
            self.tr("Screenshot without this window…"), lambda: self.screenshot_wanted.emit(True)
        )
        shot_without.setObjectName("conversation.attach.screenshot_without")
        theme.put_icon(shot, "scissors", 16)
        theme.put_icon(shot_without, "crop", 16)
        theme.put_icon(files, "file", 16)
        theme.put_icon(folder, "folder", 16)
        return menu

    def _choose_files(self) -> None:
        self._choose(self.tr("Send files"), QFileDialog.FileMode.ExistingFiles)

    def _choose_folder(self) -> None:
        self._choose(self.tr("Send a folder"), QFileDialog.FileMode.Directory)

    def _choose(self, title: str, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self.window(), title)
        dialog.setObjectName("conversation.choose")
        dialog.setFileMode(mode)
        dialog.filesSelected.connect(lambda paths: self.add([TrayItem.of(Path(path)) for path in paths]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _tray_changed(self) -> None:
        self._choose_words()
        self._allow_sending()

    def _choose_words(self) -> None:
        """Say what to write here, in as many words as there is room for."""
        if self.tray.items:
            words = self.tr("Caption…") if self.width() < _NARROW else self.tr("Add a caption…")
        else:
            words = self.tr("Message…") if self.width() < _NARROW else self.tr("Write a message…")
        self.input.setPlaceholderText(words)

    def _recorder_changed(self) -> None:
        """The recorder begins or is over."""
        assert self._recorder is not None
        had_focus = self._recorder.isAncestorOf(self.focusWidget()) or self.focusWidget() is self._recorder
        self._writing.setVisible(not self._recorder.is_on)
        self._recorder.setVisible(self._recorder.is_on)
        if had_focus and not self._recorder.is_on:
            self.input.setFocus(Qt.FocusReason.OtherFocusReason)
        self._allow_sending()

    @property
    def _records(self) -> bool:
        return self._recorder is not None and self._recorder.is_on

    def show_names(self, names: NameTable) -> None:
        """Let these people be named."""
        if names.members != self.names.members:
            self.names = names
            self._highlighter.show_names(names)
            self.names_changed.emit(names)

    def _text_changed(self) -> None:
        """Qt tells this also when only a colour has changed."""
        text = self.text()
        if text == self._last_text:
            return
        self._last_text = text
        self._allow_sending()
        self.text_changed.emit()
        if text and not self._is_given:
            self.typed.emit()

    def _allow_sending(self) -> None:
        has_text = bool(self.text().strip())
        self._button.setEnabled(self._records or bool(self.tray.items) or has_text)
        self._save.setEnabled(has_text)
        self._choose_buttons()

    def _choose_buttons(self) -> None:
        """Where there is little room, who writes is not offered to speak."""
        if self._recorder is None:
            return
        is_wide, sends = self.width() >= _WIDE, self._button.isEnabled()
        listens = self._recorder.state is Recording.LISTENING
        is_offered = is_wide or not sends or self._records
        self._recorder.microphone.setVisible(is_offered and not listens and not self._is_editing)

    def _send(self) -> None:
        if self._recorder is not None and self._recorder.is_on:
            self._recorder.send()
            return
        text = self.text().strip()
        items = [] if self._is_editing else self.tray.take()
        if (items or text) and not self._is_editing:
            self.input.clear()
        if items:
            self.files_sent.emit(items, text)
        elif text:
            self.sent.emit(text)
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)

"""Where a message is written: grows to six lines, Enter sends, Shift+Enter begins a new line.

Files wait in a tray above the input until they are sent, with what is written as their caption.
"""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QFocusEvent, QImage, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QTextEdit, QToolButton, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import IconButton, Theme
from ui.transfers.offered_files import OfferedFiles
from ui.transfers.tray import MOST_ITEMS, AttachmentTray, TrayItem
from ui.transfers.voice_recorder import Recording, VoiceRecorder

_MOST_LINES = 6
_FRAME = 22
"""Height of the input around its lines: the style sheet's padding and border, and the document's margin."""
_WIDE = 480
"""From this width on there is a button for screenshots."""
_ENTER_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class MessageInput(QTextEdit):
    """Plain text of several lines, as high as it needs to be."""

    submitted = Signal()
    cancelled = Signal()
    """Esc."""
    files_pasted = Signal(object)
    """Mime data with something that can be sent as a file."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("conversation.composer")
        self.setAccessibleName(self.tr("Message"))
        self.setToolTip("")
        self.setProperty("role", "input")
        self.setFont(fonts.font())
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._is_composing = False
        self.document().setDocumentMargin(4)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send on Enter, unless it ends an input method's composition or Shift asks for a line."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif event.key() not in _ENTER_KEYS or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif not self._is_composing:
            self.submitted.emit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Remember whether an input method is in the middle of a word."""
        super().inputMethodEvent(event)
        self._is_composing = bool(event.preeditString())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A composition ends with the focus."""
        super().focusOutEvent(event)
        self._is_composing = False

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste files, else text without its look."""
        if OfferedFiles.has_any(source):
            self.files_pasted.emit(source)
        elif source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take files too."""
        return OfferedFiles.has_any(source) or bool(super().canInsertFromMimeData(source))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Leave dragged files to the whole conversation."""
        if OfferedFiles.has_any(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The lines break elsewhere now."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Be as high as the text."""
        return QSize(super().sizeHint().width(), self.height())

    def _fit(self) -> None:
        line = self.fontMetrics().lineSpacing()
        lines = max(1, round((self.document().size().height() - 8) / line))
        self.setFixedHeight(min(lines, _MOST_LINES) * line + _FRAME)
        too_long = lines > _MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if too_long else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if self.verticalScrollBarPolicy() != policy:
            self.setVerticalScrollBarPolicy(policy)


class Composer(QWidget):
    """The tray, the input, and the buttons beside it."""

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
        self.input = MessageInput()
        self.input.submitted.connect(self._send)
        self.input.cancelled.connect(self.tray.take)
        self.input.files_pasted.connect(self.offer)
        self.input.textChanged.connect(self._allow_sending)
        self._attach = IconButton(theme, "paperclip", self.tr("Attach"), name="conversation.attach", area=40)
        self._attach.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        self._attach.setMenu(self._attach_menu(theme))
        self._button = self._send_button(theme)
        self._screenshot = IconButton(
            theme, "scissors", self.tr("Screenshot (Ctrl+Shift+S)"), name="conversation.screenshot", area=40
        )
        self._screenshot.clicked.connect(lambda: self.screenshot_wanted.emit(False))
        emoji = IconButton(theme, "smile", self.tr("Emoji (Ctrl+.)"), name="conversation.emoji", area=40)
        emoji.clicked.connect(self.emoji_wanted)
        self.tools = QHBoxLayout()
        """Buttons beside the input, on its left."""
        self.tools.setSpacing(2)
        self.tools.addWidget(self._attach)
        self.tools.addWidget(self._screenshot)
        self._writing = QWidget()
        """What gives way to the recorder."""
        writing = QHBoxLayout(self._writing)
        writing.setContentsMargins(0, 0, 0, 0)
        writing.setSpacing(8)
        writing.addLayout(self.tools)
        writing.addWidget(self.input, 1)
        writing.addWidget(emoji)
        writing.setAlignment(self.tools, Qt.AlignmentFlag.AlignBottom)
        writing.setAlignment(emoji, Qt.AlignmentFlag.AlignBottom)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addWidget(self._writing, 1)
        self._row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignBottom)
        self._recorder: VoiceRecorder | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 11, 16, 11)
        layout.setSpacing(10)
        layout.addWidget(self.tray)
        layout.addLayout(self._row)
        self._tray_changed()

    def _send_button(self, theme: Theme) -> QToolButton:
        button = QToolButton()
        button.setObjectName("conversation.send")
        button.setProperty("kind", "send")
        theme.put_icon(button, "send-horizontal", 20, "on_accent", disabled="secondary")
        button.setIconSize(QSize(20, 20))
        button.setFixedSize(40, 40)
        button.setToolTip(self.tr("Send (Enter)"))
        button.setAccessibleName(self.tr("Send"))
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

    def text(self) -> str:
        """Return what stands there now."""
        return self.input.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a draft back, with the cursor at its end."""
        self.input.setPlainText(text)
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
        words = self.tr("Add a caption…") if self.tray.items else self.tr("Write a message…")
        self.input.setPlaceholderText(words)
        self._allow_sending()

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

    def _allow_sending(self) -> None:
        self._button.setEnabled(self._records or bool(self.tray.items or self.text().strip()))
        self._choose_buttons()

    def _choose_buttons(self) -> None:
        """Where there is little room, who writes is not offered to speak."""
        if self._recorder is None:
            return
        is_wide, sends = self.width() >= _WIDE, self._button.isEnabled()
        listens = self._recorder.state is Recording.LISTENING
        self._recorder.microphone.setVisible(not listens and (is_wide or not sends or self._records))

    def _send(self) -> None:
        if self._recorder is not None and self._recorder.is_on:
            self._recorder.send()
            return
        text = self.text().strip()
        items = self.tray.take()
        if items or text:
            self.input.clear()
        if items:
            self.files_sent.emit(items, text)
        elif text:
            self.sent.emit(text)
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)

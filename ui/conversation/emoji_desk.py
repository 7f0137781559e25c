"""Opens the emoji picker, for the text that is written or for something else."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ui.conversation.composer import Composer
from ui.conversation.emoji.memory import EmojiMemory
from ui.conversation.emoji.picker import EmojiPicker
from ui.main_window.window_memory import WindowMemory
from ui.theme.controls import Theme


class EmojiDesk(QObject):
    """One for a pane."""

    closed = Signal()
    """Whoever used the picker goes on with something else."""

    def __init__(self, theme: Theme, memory: WindowMemory, composer: Composer, pane: QWidget) -> None:
        super().__init__(pane)
        self._theme = theme
        self._memory = memory
        self._composer = composer
        self._pane = pane
        self._picker: EmojiPicker | None = None
        self._use: Callable[[str], None] = composer.input.insertPlainText

    def toggle(self) -> None:
        """Open the picker for the text, or close it."""
        if self._picker is not None and self._picker.isVisible():
            self._picker.close_panel()
        elif self._composer.isVisible():
            self._use = self._composer.input.insertPlainText
            self._made().open()

    def choose(self, use: Callable[[str], None]) -> None:
        """Let one emoji be chosen for something else."""
        picker = self._made()

        def use_once(emoji: str) -> None:
            picker.close_panel()
            use(emoji)

        self._use = use_once
        picker.open()

    def _take(self, emoji: str) -> None:
        self._use(emoji)

    def _made(self) -> EmojiPicker:
        if self._picker is None:
            # Made when first wanted: its table takes as long to read as the rest of the window to build.
            self._picker = EmojiPicker(self._theme, EmojiMemory(self._memory), self._pane, self._composer)
            self._picker.picked.connect(self._take)
            self._picker.closed.connect(self.closed)
        return self._picker

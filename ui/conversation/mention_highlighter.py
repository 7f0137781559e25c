"""Lets names that name somebody stand out while they are written."""

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from ui.conversation import utf16_text
from ui.conversation.mention_text import NameTable
from ui.theme.controls import Theme


class MentionHighlighter(QSyntaxHighlighter):
    """Qt calls it for each line that changed."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        self._names = NameTable()
        theme.changed.connect(self.rehighlight)

    def show_names(self, names: NameTable) -> None:
        """Let these people stand out."""
        self._names = names
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Mark the names in a line."""
        form = QTextCharFormat()
        form.setForeground(QColor(self._theme.tokens.link))
        form.setFontWeight(QFont.Weight.DemiBold)
        for each in self._names.find(text):
            start = utf16_text.units(text[: each.start])
            length = utf16_text.units(text[each.start : each.start + each.length])
            self.setFormat(start, length, form)

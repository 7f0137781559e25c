"""The line between the messages and the input that says who is writing; its room is there at all times."""

from PySide6.QtCore import Qt

from ui.theme import fonts
from ui.theme.controls import ElidedText
from ui.translations import people

_HEIGHT = 18


class TypingLine(ElidedText):
    """Empty while nobody writes, so that nothing moves when somebody does."""

    def __init__(self) -> None:
        super().__init__(role="secondary", face=fonts.font(fonts.SMALL))
        self.setObjectName("conversation.typing")
        self.setFixedHeight(_HEIGHT)
        self.setAlignment(Qt.AlignmentFlag.AlignVCenter)

    def show_names(self, names: tuple[str, ...]) -> None:
        """Say who is writing."""
        self.set_whole(people.typing(names))

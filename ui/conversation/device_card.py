"""The strip above the messages that says: somebody here uses a device that nobody has confirmed yet."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from peer.views import MemberView
from ui.theme import fonts
from ui.theme.controls import IconButton, PushButton, Text, Theme
from ui.translations import people


class NewDeviceCard(QWidget):
    """A device we have not seen: nothing goes there before a person says it is theirs."""

    confirmed = Signal()
    safety_wanted = Signal()
    put_off = Signal()
    """In a group, where the talk goes on without it, the strip may go for now."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("conversation.new_device")
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        picture = QLabel()
        theme.put_picture(picture, "shield-alert", 22, "warning")
        self._title = Text(face=fonts.bold(), wrap=True)
        self._text = Text(wrap=True, face=fonts.font(fonts.CAPTION))
        self._confirm = PushButton(self.tr("It is theirs"), name="conversation.confirm_device")
        self._confirm.clicked.connect(self.confirmed)
        self._compare = PushButton(self.tr("Compare numbers…"), name="conversation.compare", kind="primary")
        self._compare.clicked.connect(self.safety_wanted)
        self._later = IconButton(theme, "x", self.tr("Not now"), name="conversation.device_later", size=16, area=24)
        self._later.clicked.connect(self.put_off)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 4, 0, 0)
        buttons.setSpacing(8)
        buttons.addWidget(self._compare)
        buttons.addWidget(self._confirm)
        buttons.addStretch()
        above = QHBoxLayout()
        above.setSpacing(8)
        above.addWidget(self._title, 1)
        above.addWidget(self._later, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addLayout(above)
        words.addWidget(self._text)
        words.addWidget(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 12, 12)
        layout.setSpacing(12)
        layout.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)

    def show_person(self, name: str) -> None:
        """Name whose device it is, in a conversation of two."""
        self._title.setText(self.tr("%1 signed in on a new device").replace("%1", name))
        sentence = self.tr(
            "Nothing is sent to it, and nothing from it is shown, before you confirm that it is really theirs. Ask %1 "
            "in person or by phone, or compare the safety number."
        )
        self._text.setText(sentence.replace("%1", name))
        self._show_buttons(may_confirm=True, is_contact=True, is_group=False)

    def show_member(self, member: MemberView, *, is_contact: bool) -> None:
        """Name whose device it is, in a group; numbers are compared with contacts."""
        name = people.short_name(member.name)
        self._title.setText(self.tr("%1 uses a new device").replace("%1", name))
        if member.new_device:
            sentence = self.tr(
                "It gets nothing of this group and cannot write here before you confirm that it is really theirs: ask "
                "%1 in person or by phone."
            )
        else:
            sentence = self.tr(
                "It gets nothing of this group and cannot write here before a manager has confirmed that it is really "
                "theirs."
            )
        self._text.setText(sentence.replace("%1", name))
        self._show_buttons(may_confirm=member.new_device, is_contact=is_contact, is_group=True)

    def _show_buttons(self, *, may_confirm: bool, is_contact: bool, is_group: bool) -> None:
        self._buttons.setVisible(may_confirm)
        self._compare.setVisible(is_contact)
        self._later.setVisible(is_group)
        self._grow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the sentence takes more lines."""
        super().resizeEvent(event)
        self._grow()

    def _grow(self) -> None:
        layout = self.layout()
        assert layout is not None
        self.setMinimumHeight(max(0, layout.totalHeightForWidth(self.width())))

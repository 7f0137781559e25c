"""What somebody without contacts can do: add one, or tell a friend the own ID."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from peer.views import SessionView
from ui.theme import fonts
from ui.theme.controls import IconButton, PushButton, Text, Theme


class FirstSteps(QWidget):
    """The button to add a contact, and the own ID with a button to copy it."""

    add_contact = Signal()
    copy_id = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        add = PushButton(self.tr("Add a contact"), name="main.empty.add_contact", kind="primary")
        add.clicked.connect(self.add_contact)
        hint = Text(self.tr("Or tell a friend your ID:"), role="secondary", face=fonts.font(fonts.CAPTION))
        self._id = Text(face=fonts.bold())
        self._id.setObjectName("main.empty.id")
        self._id.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = IconButton(theme, "copy", self.tr("Copy my ID"), name="main.empty.copy_id", size=16, area=32)
        copy.clicked.connect(self.copy_id)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addStretch()
        row.addWidget(self._id)
        row.addWidget(copy)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(add, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(14)
        layout.addWidget(hint, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(row)

    def show_session(self, session: SessionView | None) -> None:
        """Show whose ID it is."""
        if session is not None:
            self._id.setText(session.user)

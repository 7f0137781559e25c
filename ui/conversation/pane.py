"""The right side of the window: the open conversation, whatever state it is in."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from peer.views import Consent, ContactView, ConversationId, ConversationView, GroupView, VoiceFile
from peer.views import MessageView as MessageData
from ui.calls.call_line import CallLine
from ui.contacts.actions import ContactActions
from ui.conversation.attachment_desk import AttachmentDesk
from ui.conversation.composer import Composer
from ui.conversation.device_desk import DeviceDesk
from ui.conversation.drafts import Drafts
from ui.conversation.emoji_desk import EmojiDesk
from ui.conversation.header import ConversationHeader
from ui.conversation.jump_button import JumpButton
from ui.conversation.mention_popup import MentionPopup
from ui.conversation.mention_text import NameTable
from ui.conversation.message_desk import MessageDesk
from ui.conversation.message_view import MessageView
from ui.conversation.notices import NoWritingNotice, RequestCard
from ui.conversation.outgoing import Outgoing
from ui.conversation.person_desk import PersonDesk
from ui.conversation.reading import Reading
from ui.conversation.writing import Writing
from ui.groups.actions import GroupActions
from ui.main_window.window_memory import WindowMemory
from ui.models.chat_state import ChatState
from ui.models.message_list import MessageListModel
from ui.peer_bridge import PeerBridge
from ui.screenshot.screenshot import Screenshot
from ui.theme.controls import Theme
from ui.theme.empty_state import EmptyState
from ui.transfers.drop_overlay import DropOverlay
from ui.transfers.files_panel import WIDTH as FILES_WIDTH
from ui.transfers.files_panel import FilesPanel
from ui.transfers.tray import TrayItem
from ui.transfers.voice_recorder import VoiceRecorder
from ui.translations import people

NARROWEST_TALK = 360
"""Pixels that a conversation needs beside its files."""
QWIDGETSIZE_MAX = (1 << 24) - 1
"""Qt's word for no maximum."""


class ConversationPane(QWidget):
    """Shows one conversation, sends what is written in it, and reports what was read."""

    back = Signal()
    in_sight = Signal(object)
    """This conversation is being looked at."""
    call_wanted = Signal(object)
    """Call them, join their call, or show the one that is on."""

    def __init__(
        self,
        theme: Theme,
        bridge: PeerBridge,
        state: ChatState,
        actions: ContactActions,
        groups: GroupActions,
        memory: WindowMemory,
    ) -> None:
        super().__init__()
        self.setObjectName("conversation")
        self.setProperty("role", "chat")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bridge = bridge
        self._state = state
        self._shown: ConversationView | None = None
        self._messages: MessageListModel | None = None
        self.header = ConversationHeader(theme)
        self._devices = DeviceDesk(theme, bridge, state, actions, groups, self)
        self._calls = CallLine(theme, state, self.header, self)
        self.desk = AttachmentDesk(theme, bridge, self)
        self.view = MessageView(theme, self.desk.blocks())
        self._jump = JumpButton(
            theme, self.view, name="conversation.jump", icon="arrow-down", hint=self.tr("Go to the newest message")
        )
        self._unread_above = JumpButton(
            theme,
            self.view,
            name="conversation.unread_above",
            icon="arrow-up",
            hint=self.tr("Go to the first unread message"),
            at_top=True,
        )
        self._request = RequestCard(theme)
        self._hello = EmptyState(
            theme,
            "message-circle-more",
            self.tr("No messages yet"),
            self.tr("Write the first one below. It goes straight from device to device."),
            name="conversation.empty",
        )
        self._middle = QStackedWidget()
        self.composer = Composer(theme)
        self._notice = NoWritingNotice()
        self.emoji = EmojiDesk(theme, memory, self.composer, self)
        self._person = PersonDesk(actions, self)
        self._screenshot = Screenshot(theme, self)
        self._talk = QWidget()
        """All but the files."""
        self.files = FilesPanel(theme, bridge, self.desk.pictures)
        self._build()
        self._reading = Reading(bridge, self.view, self)
        self._reading.in_sight.connect(self.in_sight)
        self.drafts = Drafts(bridge, state, self.composer, self)
        self._mentions = MentionPopup(theme, self.composer.input, self)
        self.composer.names_changed.connect(self._mentions.show_names)
        self.writing = Writing(bridge, state, self.composer, self.drafts, self)
        self.messages = MessageDesk(theme, bridge, state, self.view, self.writing, self.emoji.choose, self)
        self.recorder = VoiceRecorder(theme, bridge, self.desk.playback)
        self.composer.put_recorder(self.recorder)
        self._outgoing = Outgoing(bridge, state, self.composer, self.drafts.give_back, self)
        self._drop = DropOverlay(theme, self, self._drop_words)
        self._connect()

    def _build(self) -> None:
        for page in (self.view, self._request, self._hello):
            self._middle.addWidget(page)
        layout = QVBoxLayout(self._talk)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        beside = QHBoxLayout(self)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self._talk, 1)
        beside.addWidget(self.files)
        layout.addWidget(self.header)
        layout.addWidget(self._calls.strip)
        layout.addWidget(self._devices.card)
        layout.addWidget(self._middle, 1)
        layout.addWidget(self.composer)
        layout.addWidget(self._notice)

    def _connect(self) -> None:
        self.header.back.connect(self.back)
        self._calls.call_wanted.connect(self.call_wanted)
        self.view.rows_shown.connect(self._point_to_unread)
        self.view.missed_changed.connect(self._jump.show_count)
        self.view.typed.connect(self._type_in)
        self.desk.serve(self.view)
        self.desk.said.connect(self._state.warned)
        self.desk.call_wanted.connect(self.call_wanted)
        self.files.list.act_wanted.connect(self.desk.act)
        self.files.list.wanted.connect(self.messages.do)
        self.files.list.answered_wanted.connect(self._show_answered)
        self._drop.dropped.connect(self.composer.offer)
        self.files.closed.connect(self._toggle_files)
        self.header.files_wanted.connect(self._toggle_files)
        self.composer.tray.preview_wanted.connect(lambda item: self.desk.preview(self.composer.tray, item))
        self._jump.clicked.connect(self.view.follow)
        self._unread_above.clicked.connect(self._go_to_unread)
        self.header.dismissal_wanted.connect(self._dismiss_unread)
        self.composer.sent.connect(self._send)
        self.composer.input.cancelled.connect(self._cancel)
        self.composer.files_sent.connect(self._send_files)
        self.recorder.recorded.connect(self._send_voice)
        self.recorder.said.connect(self._state.warned)
        self.composer.said.connect(self._state.warned)
        self._state.session_changed.connect(self._session_changed)
        self.composer.emoji_wanted.connect(self.emoji.toggle)
        self.emoji.closed.connect(self._focus)
        here = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence("Ctrl+."), self, self.emoji.toggle, context=here)
        QShortcut(QKeySequence("Ctrl+Shift+S"), self, self._take_screenshot, context=here)
        self.composer.screenshot_wanted.connect(self._take_screenshot)
        self._screenshot.taken.connect(self.composer.add_picture)
        self._screenshot.failed.connect(self._state.warned)
        self._state.contacts.person_changed.connect(self._person_changed)
        self._state.conversations.conversation_changed.connect(self._conversation_changed)
        self._state.groups.changed.connect(self._group_changed)
        self._state.typing.changed.connect(self._typing_changed)
        self._person.serve(self.header, self._request, self._notice)
        self.header.safety_wanted.connect(self._devices.compare)

    # --- what the window asks ------------------------------------------------------------------

    @property
    def conversation(self) -> ConversationId | None:
        """Which conversation is open."""
        return None if self._shown is None else self._shown.conversation

    def open(self, conversation: ConversationView) -> None:
        """Show a conversation; what was being written in the one before is kept."""
        if self._shown is not None and self._shown.conversation == conversation.conversation:
            self._focus()
            return
        self._shown = conversation
        self._person.show_conversation(conversation)
        messages = self._state.messages(conversation)
        messages.open_at(conversation.first_unread)
        self._show_messages(messages)
        self.writing.show_conversation(conversation)
        self._outgoing.show_conversation(conversation.conversation)
        self.recorder.show_conversation(conversation.conversation)
        if not self.files.isHidden():
            self.files.show_files(conversation.conversation)
        self._typing_changed(conversation.conversation)
        self._refresh()
        self._focus()

    def close_conversation(self) -> None:
        """Show none; what was being written is kept."""
        self._shown = None
        self._person.show_conversation(None)
        self._calls.show_conversation(None)
        self._outgoing.show_conversation(None)
        self.recorder.show_conversation(None)
        self.files.show_files(None)
        self.files.hide()
        self._fit_files()
        self._show_messages(None)
        self.writing.show_conversation(None)

    def _show_messages(self, messages: MessageListModel | None) -> None:
        if self._messages is not None:
            self._messages.loaded.disconnect(self._choose_page)
            self._messages.rowsInserted.disconnect(self._choose_page)
            self._messages.not_found.disconnect(self._say_not_here)
        self._messages = messages
        if messages is not None:
            messages.loaded.connect(self._choose_page)
            messages.rowsInserted.connect(self._choose_page)
            messages.not_found.connect(self._say_not_here)
        self._reading.begin(messages)
        self.view.show_messages(messages)

    def _say_not_here(self) -> None:
        self._state.warned.emit(self.tr("That message is not on this device."))

    # --- what changed ----------------------------------------------------------------------------

    def _person_changed(self, user: str) -> None:
        if self._shown is not None and self._shown.user == user:
            self._refresh()

    def _group_changed(self, group: GroupView) -> None:
        if self._shown is not None and self._shown.conversation == group.conversation:
            self._refresh()

    def _typing_changed(self, conversation: ConversationId) -> None:
        if self.conversation == conversation:
            self.composer.typing.show_names(self._state.typing.names(conversation))

    def _conversation_changed(self, view: ConversationView) -> None:
        if self._shown is None or self._shown.conversation != view.conversation:
            return
        before, self._shown = self._shown, view
        self._person.show_conversation(view)
        if (before.title, before.online, before.can_write) != (view.title, view.online, view.can_write):
            self._refresh()
        else:
            # Nothing but the messages changed: in a flood that is told a hundred times a second.
            self._choose_page()
            self._point_to_unread()

    def _refresh(self) -> None:
        """Choose what is seen, from how we stand with this person."""
        if self._shown is None:
            return
        contact = self._state.contacts.contact(self._shown.user)
        is_group = self._shown.user is None
        group = self._state.groups.group(self._shown.conversation) if is_group else None
        self.messages.show_standing(self._shown, group)
        me = None if self._state.session is None else self._state.session.user
        others = () if group is None else tuple(member for member in group.members if member.user != me)
        self.composer.show_names(NameTable(others))
        if is_group:
            self.header.show_group(self._shown, group)
            self._devices.show_group(self._shown.conversation, group)
        else:
            self.header.show_conversation(self._shown, contact)
            self._devices.show_contact(contact, self._shown.title)
        self._calls.show_conversation(self._shown)
        self._choose_page()
        if not self._shown.can_write and self.window().focusWidget() is self.composer.input:
            # Else Qt would give the focus to whatever comes first in the window, at once or when a dialog closes.
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.composer.setVisible(self._shown.can_write)
        self._notice.setVisible(not self._shown.can_write)
        if is_group:
            self._notice.show_group_left()
        else:
            self._notice.show_reason(contact, self._shown.title)
        self._point_to_unread()

    def _choose_page(self) -> None:
        if self._shown is not None:
            self._middle.setCurrentWidget(self._middle_page(self._state.contacts.contact(self._shown.user)))

    def _middle_page(self, contact: ContactView | None) -> QWidget:
        assert self._shown is not None
        if contact is not None and contact.state is Consent.ASKED_BY_THEM and not contact.blocked:
            self._request.show_contact(contact)
            return self._request
        is_empty = self._messages is not None and self._messages.is_loaded and self._messages.rowCount() == 0
        return self._hello if is_empty and self._shown.can_write else self.view

    # --- writing and reading -----------------------------------------------------------------------

    def _send(self, text: str) -> None:
        if self._shown is not None and self.writing.send(text):
            self.view.follow()

    def _send_files(self, items: list[TrayItem], caption: str) -> None:
        if self._shown is not None:
            self._outgoing.send_files(self._shown.conversation, items, caption)
            self.view.follow()

    def _send_voice(self, voice: VoiceFile) -> None:
        if self._shown is not None:
            self._outgoing.send_voice(self._shown.conversation, voice, self.recorder.give_back)
            self.view.follow()

    def _session_changed(self) -> None:
        if self._state.session is None:
            self._outgoing.forget()
            self.writing.forget()
            self.recorder.forget()
            self.desk.forget()

    def _show_answered(self, message: MessageData) -> None:
        """Go from a file to the message that it answers."""
        self._toggle_files()
        self.view.show_answered(message)

    def _toggle_files(self) -> None:
        """Show the files of this conversation, or hide them."""
        shows = self.files.isHidden()
        if self._shown is not None:
            self.files.show_files(self._shown.conversation if shows else None)
        self.files.setVisible(shows)
        self._fit_files()
        if shows:
            self.files.take_focus()
        else:
            self._focus()

    def _fit_files(self) -> None:
        """Where there is no room for both, the files stand in the place of the conversation."""
        is_narrow = self.width() < NARROWEST_TALK + FILES_WIDTH
        self._talk.setVisible(self.files.isHidden() or not is_narrow)
        self.files.setMinimumWidth(0 if is_narrow else FILES_WIDTH)
        self.files.setMaximumWidth(QWIDGETSIZE_MAX if is_narrow else FILES_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the files their place."""
        super().resizeEvent(event)
        self._fit_files()

    def showEvent(self, event: QShowEvent) -> None:
        """What moves goes on moving."""
        super().showEvent(event)
        self.desk.keep_moving()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves that nobody sees."""
        super().hideEvent(event)
        self.desk.pictures.keep_moving(())

    def _drop_words(self) -> str:
        """Return what dropping files here would do; empty when nothing can be sent."""
        if not self.composer.isVisible() or self._shown is None:
            return ""
        return self.tr("Drop here to send to %1").replace("%1", people.short_name(self._shown.title))

    def leave_tidy(self) -> None:
        """The window closes or somebody signs out: what is written is kept, what was to be deleted is."""
        self.drafts.keep()
        self.messages.deletions.carry_out()

    def _cancel(self) -> None:
        """Esc in the input: first no answer and no edit, then no files."""
        if not self.writing.cancel():
            self.composer.tray.take()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc that nothing else wanted: no answer and no edit any more, else back to the input."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif not self.writing.cancel():
            self._focus()

    def _type_in(self, text: str) -> None:
        if self.composer.isVisible():
            self.composer.type_in(text)

    def _take_screenshot(self, without_window: bool = False) -> None:
        if self.composer.isVisible():
            self._screenshot.take(without_window=without_window)

    def _point_to_unread(self) -> None:
        """Show the way up to what was not read, such as what came late or was jumped over."""
        unread = None if self._shown is None else self._shown.first_unread
        rows = self.view.visible_rows()
        is_above = (
            unread is not None
            and self._messages is not None
            and len(rows)
            and (unread < self._messages.message(rows[0]).place)
        )
        self._unread_above.show_count(self._shown.unread if is_above and self._shown is not None else -1)

    def _go_to_unread(self) -> None:
        if self._shown is not None and self._messages is not None:
            self._messages.open_at(self._shown.first_unread)
            self.view.open_at_unread()

    def _dismiss_unread(self) -> None:
        if self._shown is not None:
            conversation = self._shown.conversation
            self._bridge.ask(self, lambda node: node.dismiss_unread(conversation))

    def _focus(self) -> None:
        target = self.composer.input if self.composer.isVisible() else self.view
        target.setFocus(Qt.FocusReason.OtherFocusReason)

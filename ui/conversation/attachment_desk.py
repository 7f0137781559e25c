"""What the attachments of a conversation need on the screen: their pictures, their sound, and what a click does."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QWidget

from peer.errors import RefusalCode
from peer.views import MessageKind, MessageView
from ui.conversation.call_block import CallBlock
from ui.conversation.message_view import MessageView as MessageListView
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme
from ui.transfers.acts import Act
from ui.transfers.blocks import Block
from ui.transfers.picture_block import PictureBlock
from ui.transfers.picture_reel import PictureReel
from ui.transfers.picture_store import PictureStore, read_image
from ui.transfers.picture_viewer import PictureViewer
from ui.transfers.transfer_actions import TransferActions
from ui.transfers.tray import AttachmentTray, TrayItem
from ui.transfers.voice_block import VoiceBlock
from ui.transfers.voice_playback import VoicePlayback
from ui.translations.refusals import refusal_text

if TYPE_CHECKING:
    from peer.pictures.tasks import Thumbnail

_NO_PICTURE = frozenset({RefusalCode.UNSUPPORTED_PICTURE, RefusalCode.DAMAGED_PICTURE, RefusalCode.TOO_LARGE})
"""What is said of a file that cannot be shown as a picture, whoever asks."""


class AttachmentDesk(QObject):
    """One for a pane, whichever conversation is open in it."""

    said = Signal(str)
    """A sentence to show for a moment."""
    call_wanted = Signal(object)
    """Call this conversation."""

    def __init__(self, theme: Theme, bridge: PeerBridge, over: QWidget) -> None:
        super().__init__(over)
        self._theme = theme
        self._bridge = bridge
        self._over = over
        self._view: MessageListView | None = None
        self._viewer: PictureViewer | None = None
        self.pictures = PictureStore(bridge, self)
        self.playback = VoicePlayback(bridge, self)
        self._transfers = TransferActions(theme, bridge, over)
        self._transfers.said.connect(self.said)
        self.playback.said.connect(self.said)

    def blocks(self) -> Mapping[MessageKind, Block]:
        """Return what draws attachments that are not mere files, and calls."""
        return {
            MessageKind.CALL: CallBlock(self._theme),
            MessageKind.PICTURE: PictureBlock(self._theme, self.pictures),
            MessageKind.VOICE: VoiceBlock(self._theme, self.playback),
        }

    def serve(self, view: MessageListView) -> None:
        """Do what is clicked in this list of messages, and keep what is seen there up to date."""
        self._view = view
        view.act_wanted.connect(self.act)
        view.skipped.connect(self._skip)
        view.rows_shown.connect(lambda *_: self.keep_moving())
        self.pictures.came.connect(lambda entry: view.paint_again(lambda message: message.entry == entry))
        self.playback.changed.connect(self._playback_changed)

    def act(self, message: MessageView, act: Act, fraction: float = 0.0) -> None:
        """Do what somebody clicked on an attachment."""
        attachment = message.attachment
        match act:
            case Act.VIEW:
                self._look_at(message)
            case Act.PLAY if attachment is not None:
                self.playback.toggle(attachment.path)
            case Act.SEEK if attachment is not None:
                self.playback.seek(attachment.path, fraction * attachment.duration)
            case Act.SPEED:
                self.playback.next_speed()
            case Act.CALL:
                self.call_wanted.emit(message.conversation)
            case _:
                self._transfers.do(message, act)

    def preview(self, tray: AttachmentTray, item: TrayItem) -> None:
        """Show what waits in the tray; of what is no picture that can be shown, say why it goes as a file."""

        def came(thumbnail: "Thumbnail") -> None:
            tray.show_preview(item, read_image(thumbnail.jpeg, "jpeg", QSize()))

        def refused(code: RefusalCode, message: str) -> None:
            if code in _NO_PICTURE:
                sentence = refusal_text(code, message)
                tray.show_refusal(item, sentence)
                self.said.emit(self.tr("%1 It is sent as a file.").replace("%1", sentence))

        self._bridge.ask(tray, lambda node: node.preview(item.path), came, refused)

    def keep_moving(self) -> None:
        """Let move what is in sight, and nothing else; what lies under the viewer is not."""
        if self._viewer is not None and self._viewer.isVisible():
            return
        self.pictures.keep_moving(() if self._view is None else self._view.entries_in_sight())

    def forget(self) -> None:
        """Somebody else signs in."""
        if self._viewer is not None:
            self._viewer.close_viewer()
        self.pictures.forget()
        self.playback.forget()

    def _skip(self, message: MessageView, forward: bool) -> None:
        """Go on in a voice message, or back."""
        attachment = message.attachment
        if attachment is not None and message.kind is MessageKind.VOICE and attachment.path:
            self.playback.skip(attachment.path, attachment.duration, forward=forward)

    def _playback_changed(self, path: str) -> None:
        """Draw a voice message that is played; without a path, all: the speed is another one."""
        if self._view is not None:
            self._view.paint_again(
                lambda message: (
                    message.kind is MessageKind.VOICE
                    and message.attachment is not None
                    and path in {"", message.attachment.path}
                )
            )

    def _look_at(self, message: MessageView) -> None:
        """Show a picture large, and the others of its conversation at the arrow keys."""
        if self._viewer is None:
            self._viewer = PictureViewer(self._theme, self.pictures, self._over.window())
            self._viewer.closed.connect(self._viewer_closed)
            self._viewer.act_wanted.connect(self._transfers.do)
        self._viewer.open(PictureReel(self._bridge, message, self))

    def _viewer_closed(self) -> None:
        self.keep_moving()
        if self._view is not None:
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)

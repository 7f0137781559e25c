"""The pictures on the screen: fetched from the node as cleaned copies, decoded off this thread, at most 64 MiB of them.

Only bytes that the picture worker wrote anew are decoded here, thumbnails too: what a peer sent never is.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMovie

from peer.errors import RefusalCode
from peer.views import EntryId, MessageView, TransferState
from ui.peer_bridge import PeerBridge
from ui.translations.refusals import refusal_text

if TYPE_CHECKING:
    from peer.pictures.tasks import CleanPicture

KEPT_BYTES = 64 * 1024 * 1024
"""Decoded pictures in memory; those not looked at for longest go first."""
_ASKED_AT_ONCE = 4
_ROUNDING = 4
"""Pixels by which a shape may be off because sizes are whole numbers."""
_MOST_WANTED = 24
"""Pictures that wait to be asked for; when more were passed by, the first of them are not waited for any more."""

_Key = tuple[EntryId, int, int]
"""Which picture, and how large in pixels; 0 for a thumbnail."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    key: _Key
    thumbnail: bytes


class PictureStore(QObject):
    """Answers at once with the best it has; better ones come with `came`."""

    came = Signal(object)
    """The entry of a picture that looks better now, or moved on."""

    def __init__(self, bridge: PeerBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._images: OrderedDict[_Key, QImage] = OrderedDict()
        self._bytes = 0
        self._wanted: OrderedDict[_Key, _Wanted] = OrderedDict()
        self._asked: set[_Key] = set()
        self._refused: dict[_Key, str] = {}
        self._moving: dict[_Key, tuple[bytes, QSize]] = {}
        """Pictures that move, as files, and how large they are shown."""
        self._movies: dict[_Key, QMovie] = {}
        self._in_sight: frozenset[EntryId] = frozenset()

    def look(self, message: MessageView, size: QSize) -> QImage:
        """Return the picture of a message, if it can be `size` pixels large; null while there is nothing."""
        attachment = message.attachment
        assert attachment is not None
        key = (message.entry, size.width(), size.height())
        if key in self._moving and message.entry in self._in_sight:
            movie = self._movies.get(key) or self._start_moving(key)
            if not movie.currentImage().isNull():
                return movie.currentImage()
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
            return image
        if attachment.state is TransferState.HERE:
            self._want(_Wanted(key, b""))
        found = self._any_of(message.entry)
        if found.isNull() and attachment.thumbnail:
            self._want(_Wanted((message.entry, 0, 0), attachment.thumbnail))
        return found

    def refusal(self, message: MessageView, size: QSize) -> str:
        """Return why a picture cannot be shown, as a sentence; empty if it can."""
        return self._refused.get((message.entry, size.width(), size.height()), "")

    def keep_moving(self, entries: Iterable[EntryId]) -> None:
        """Let these move, which are in sight, and no others."""
        before, self._in_sight = self._in_sight, frozenset(entries)
        for key in [key for key in self._movies if key[0] not in self._in_sight]:
            self._movies.pop(key).deleteLater()
            if key not in self._images:
                del self._moving[key]
        for entry in {key[0] for key in self._moving} & (self._in_sight - before):
            self.came.emit(entry)  # at which size it moves, turns out when it is looked at

    def forget(self) -> None:
        """Somebody else signs in."""
        self.keep_moving(())
        for kept in (self._images, self._wanted, self._refused, self._moving):
            kept.clear()
        self._bytes = 0

    @property
    def bytes_kept(self) -> int:
        """How much is in memory."""
        return self._bytes + sum(len(content) for content, _ in self._moving.values())

    def _any_of(self, entry: EntryId) -> QImage:
        """Return the largest picture of an entry that is here, of whatever size."""
        of_entry = [image for key, image in self._images.items() if key[0] == entry]
        return max(of_entry, key=QImage.width, default=QImage())

    def _want(self, wanted: _Wanted) -> None:
        if wanted.key in self._asked or wanted.key in self._refused:
            return
        self._wanted[wanted.key] = wanted
        self._wanted.move_to_end(wanted.key)
        if len(self._wanted) > _MOST_WANTED:
            self._wanted.popitem(last=False)
        self._ask_next()

    def _ask_next(self) -> None:
        while self._wanted and len(self._asked) < _ASKED_AT_ONCE:
            # What was looked at last is looked at now.
            key, wanted = self._wanted.popitem()
            self._asked.add(key)
            self._ask(key, wanted.thumbnail)

    def _ask(self, key: _Key, thumbnail: bytes) -> None:
        entry, side = key[0], max(key[1:])
        done, refused = partial(self._came, key), partial(self._was_refused, key)
        if thumbnail:
            self._bridge.ask(self, lambda node: node.shown_thumbnail(thumbnail), done, refused)
        else:
            self._bridge.ask(self, lambda node: node.picture(entry, side), done, refused)

    def _came(self, key: _Key, picture: "CleanPicture") -> None:
        _, width, height = key
        if picture.frames > 1 and width:
            own = QSize(picture.width, picture.height)
            self._moving[key] = (picture.content, _in_shape(own, QSize(width, height)).boundedTo(own))
        size = QSize(width, height)
        decode = partial(read_image, picture.content, picture.kind, size)
        self._bridge.compute(self, decode, partial(self._take_image, key), partial(self._was_refused, key))

    def _take_image(self, key: _Key, image: QImage) -> None:
        self._asked.discard(key)
        if image.isNull():
            self._refused[key] = self.tr("This picture cannot be shown.")
        else:
            self._images[key] = image
            self._bytes += image.sizeInBytes()
            self._let_go()
        self.came.emit(key[0])
        self._ask_next()

    def _was_refused(self, key: _Key, code: RefusalCode, message: str) -> None:
        self._asked.discard(key)
        if code not in {RefusalCode.TOO_MANY, RefusalCode.NOT_SIGNED_IN}:
            self._refused[key] = refusal_text(code, message)
        self.came.emit(key[0])
        self._ask_next()

    def _let_go(self) -> None:
        while self.bytes_kept > KEPT_BYTES and self._images:
            key, image = self._images.popitem(last=False)
            self._bytes -= image.sizeInBytes()
            if key not in self._movies:
                self._moving.pop(key, None)

    def _start_moving(self, key: _Key) -> QMovie:
        (content, size), entry = self._moving[key], key[0]
        movie = QMovie(self)
        buffer = QBuffer(movie)
        buffer.setData(QByteArray(content))
        movie.setDevice(buffer)
        movie.setFormat(b"webp")
        movie.setScaledSize(size)
        movie.frameChanged.connect(lambda _frame: self.came.emit(entry))
        self._movies[key] = movie
        movie.start()
        return movie


def _in_shape(own: QSize, wanted: QSize) -> QSize:
    """Return the wanted size, but in the shape the picture really has: what was told of it may be wrong."""
    fit = own.scaled(wanted, Qt.AspectRatioMode.KeepAspectRatio) if own.isValid() else wanted
    is_close = abs(fit.width() - wanted.width()) <= _ROUNDING and abs(fit.height() - wanted.height()) <= _ROUNDING
    return wanted if is_close else fit.expandedTo(QSize(1, 1))


def read_image(content: bytes, kind: str, size: QSize) -> QImage:
    """Return a cleaned picture as an image; of this size in pixels unless that is empty. On any thread."""
    # Not a QImageReader: it asks its Python-made buffer for bytes while it holds Qt's lock on the decoders, and two
    # threads that did so waited for each other for ever, with the window behind them.
    image = QImage.fromData(QByteArray(content), kind.upper())  # type: ignore[arg-type]  # the call takes text
    if not image.isNull():
        if not size.isEmpty():
            shape = _in_shape(image.size(), size)
            image = image.scaled(
                shape, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        alpha = image.hasAlphaChannel()
        image.convertTo(QImage.Format.Format_ARGB32_Premultiplied if alpha else QImage.Format.Format_RGB32)
    return image

"""Asks the desktop for a screenshot where programs may not look themselves: on Wayland, by its portal.

https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Screenshot.html. The desktop shows its
own means of choosing a region and asks whether we may have it.
"""

import logging
import secrets

from PySide6.QtCore import SLOT, QObject, QUrl, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher
from PySide6.QtGui import QImage

log = logging.getLogger(__name__)

_SERVICE = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_DONE, _CANCELLED = 0, 1


class PortalScreenshot(QObject):
    """One request to the portal."""

    taken = Signal(QImage)
    cancelled = Signal()
    failed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_over = False

    def ask(self) -> None:
        """Have the desktop ask the person; one of the signals tells how it ended."""
        bus = QDBusConnection.sessionBus()
        token = f"hail_{secrets.token_hex(8)}"
        # Listened to before the call: the answer may come before the call's own.
        answer = f"{_PATH}/request/{bus.baseService()[1:].replace('.', '_')}/{token}"
        slot = SLOT("responded(uint,QVariantMap)")
        if not bus.isConnected() or not bus.connect(  # type: ignore[call-overload]  # the stub says bytes, text is taken
            _SERVICE, answer, "org.freedesktop.portal.Request", "Response", self, slot
        ):
            self._fail("no session bus")
            return
        call = QDBusMessage.createMethodCall(_SERVICE, _PATH, "org.freedesktop.portal.Screenshot", "Screenshot")
        call.setArguments(["", {"handle_token": token, "interactive": True, "modal": True}])
        watcher = QDBusPendingCallWatcher(bus.asyncCall(call), self)
        watcher.finished.connect(self._called)

    def _called(self, watcher: QDBusPendingCallWatcher) -> None:
        if watcher.isError():
            self._fail(watcher.error().name())

    @Slot("uint", "QVariantMap")
    def responded(self, code: int, results: dict[str, object]) -> None:
        """Take what the portal answered."""
        if self._is_over:
            return
        if code == _CANCELLED:
            self._is_over = True
            self.cancelled.emit()
            return
        image = QImage(QUrl(str(results.get("uri", ""))).toLocalFile()) if code == _DONE else QImage()
        if image.isNull():
            self._fail(f"code {code}")
        else:
            self._is_over = True
            self.taken.emit(image)

    def _fail(self, why: str) -> None:
        if not self._is_over:
            self._is_over = True
            log.info("no screenshot by the portal: %s", why)
            self.failed.emit()

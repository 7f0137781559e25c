"""Takes a screenshot: with our own overlay where programs may see the screen, else by the desktop's portal."""

import os

from PySide6.QtCore import QObject, QRect, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from ui.screenshot.frozen_screens import FrozenScreen, cut, desktop_of, freeze
from ui.screenshot.overlay import ScreenOverlay
from ui.screenshot.region import Region
from ui.theme.controls import Theme

_MENU_GONE_MS = 150
"""What was clicked on, a menu or a tooltip, is off the screen after this time."""
_WINDOW_GONE_MS = 400
"""So is a window; some desktops fade it out."""


class Screenshot(QObject):
    """One at a time."""

    taken = Signal(QImage)
    failed = Signal(str)
    """A sentence that says why there is none."""

    def __init__(self, theme: Theme, asker: QWidget) -> None:
        """`asker` is a widget of the window that asks."""
        super().__init__(asker)
        self._theme = theme
        self._asker = asker
        self._screens: list[FrozenScreen] = []
        self._overlays: list[ScreenOverlay] = []
        self._region: Region | None = None
        self._is_busy = False
        self._hid_window = False
        QGuiApplication.instance().screenRemoved.connect(self._cancel)  # type: ignore[union-attr]

    def take(self, *, without_window: bool = False) -> None:
        """Let the person choose a region, or the whole of a screen; if wished, with this window out of the way."""
        if self._is_busy:
            return
        self._is_busy = True
        self._hid_window = without_window
        if without_window:
            self._asker.window().hide()
        wait = _WINDOW_GONE_MS if without_window else _MENU_GONE_MS
        QTimer.singleShot(wait, self, self._ask_portal if _is_wayland() else self._freeze)

    # --- by ourselves ------------------------------------------------------------------------------------

    def _freeze(self) -> None:
        self._screens = freeze()
        if not self._screens:
            self._fail()
            return
        self._region = Region(desktop_of(self._screens))
        for screen in self._screens:
            overlay = ScreenOverlay(self._theme, screen, self._region)
            overlay.setScreen(screen.screen)
            overlay.confirmed.connect(self._confirm)
            overlay.cancelled.connect(self._cancel)
            self._overlays.append(overlay)
            overlay.showFullScreen()
        pointed_at = next(
            (each for each in self._overlays if each.geometry().contains(QCursor.pos())), self._overlays[0]
        )
        pointed_at.activateWindow()
        pointed_at.setFocus()

    def _confirm(self) -> None:
        region = self._region.rect if self._region is not None else QRect()
        screens = self._screens
        self._end()
        if not region.isEmpty():
            self.taken.emit(cut(screens, region))

    def _cancel(self) -> None:
        if self._is_busy and self._overlays:
            self._end()

    # --- by the desktop ----------------------------------------------------------------------------------

    def _ask_portal(self) -> None:
        from ui.screenshot.portal import PortalScreenshot

        portal = PortalScreenshot(self)
        portal.taken.connect(self._take_portals)
        portal.cancelled.connect(self._end)
        portal.failed.connect(self._fail)
        for over in (portal.taken, portal.cancelled, portal.failed):
            over.connect(portal.deleteLater)
        portal.ask()

    def _take_portals(self, image: QImage) -> None:
        self._end()
        self.taken.emit(image)

    # --- the end -------------------------------------------------------------------------------------------

    def _fail(self) -> None:
        self._end()
        if _is_wayland():
            self.failed.emit(
                self.tr("This desktop offers no screenshots to programs. Take one with its own keys and paste it.")
            )
        else:
            self.failed.emit(self.tr("The screen cannot be captured here. Take a picture otherwise and paste it."))

    def _end(self) -> None:
        overlays, self._overlays, self._screens, self._region = self._overlays, [], [], None
        for overlay in overlays:
            overlay.blockSignals(True)
            overlay.close()
            overlay.deleteLater()
        self._is_busy = False
        window = self._asker.window()
        if self._hid_window:
            window.show()
        if overlays or self._hid_window:
            window.raise_()
            window.activateWindow()
        self._hid_window = False


def _is_wayland() -> bool:
    """Tell whether a compositor keeps the screen from programs; an X11 program under Wayland would see black."""
    return QGuiApplication.platformName().startswith("wayland") or (
        QGuiApplication.platformName() == "xcb" and bool(os.environ.get("WAYLAND_DISPLAY"))
    )

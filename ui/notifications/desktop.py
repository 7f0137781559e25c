"""The desktop's own notifications, through the library that knows every system's way."""

import contextlib
import html
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier


class DesktopNotifications:
    """Lives on the network thread: the library needs its event loop."""

    def __init__(self, clicked: Callable[[str], None]) -> None:
        """`clicked` is called on the network thread, with the key of the notification."""
        self._clicked = clicked
        self._notifier: DesktopNotifier | None = None
        self._shown: dict[str, str] = {}
        """The notification that stands for each key, so that a newer one replaces it."""

    async def show(self, key: str, title: str, text: str) -> bool:
        """Show one notification in the place of the last one with this key; tell whether the desktop took it."""
        from desktop_notifier import DesktopNotifier

        if self._notifier is None:
            # Without a desktop that takes notifications it would log a traceback for each; we have another way.
            logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
            self._notifier = DesktopNotifier(app_name="Hail", app_icon=None)
        await self.clear(key)
        taken: list[bool] = []
        identifier = await self._notifier.send(
            title,
            # Linux desktops read the text as markup, and messages are other people's.
            html.escape(text, quote=False) if sys.platform == "linux" else text,
            on_clicked=lambda: self._clicked(key),
            on_dispatched=lambda: taken.append(True),
        )
        if taken:
            # What no desktop took cannot be taken back: the library would fail on it.
            self._shown[key] = identifier
        return bool(taken)

    async def clear(self, key: str) -> None:
        """Take a notification back: it was seen in the window."""
        identifier = self._shown.pop(key, None)
        if identifier is not None and self._notifier is not None:
            # The library knows no notification that was clicked or dismissed already.
            with contextlib.suppress(KeyError):
                await self._notifier.clear(identifier)

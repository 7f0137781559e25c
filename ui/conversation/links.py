"""Finds the links in a message, and opens those that a browser or a mail program takes.

Han characters, kana and full-width signs end a link: in a Chinese sentence nothing else parts it from what follows.
So does whatever turns the direction of writing, because it could show another address than the one that opens.
"""

import re
from dataclasses import dataclass

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

_OPENED = frozenset({"http", "https", "mailto"})
"""Anything else could start a program; `hail://` links are for the login page, and only shown."""
_BEGINNING = r"(?<![A-Za-z0-9_@.+/-])(?:https?://|mailto:|hail://|www\.)"
_ENDS = (
    r"\s\x00-\x1f\x7f-\xa0<>\"`{}|\\^"
    r"\u1100-\u11ff\u2000-\u206f\u2e80-\ua4cf\uac00-\ud7ff\ue000-\ufaff\ufe00-\ufe4f\ufeff\uff00-\uffff"
    r"\U0001f000-\U0003ffff"
)
"""Spaces, quotes, general punctuation (with the signs that turn the direction), East Asian scripts, emoji."""
_LINK = re.compile(rf"{_BEGINNING}(?:(?![,;]https?://)[^{_ENDS}])+", re.IGNORECASE)
_HOST = re.compile(r"(?:[^/?#@]*@)?(?:\[[0-9a-f:.]+\]|[^\W_](?:[\w.-]*\w)?)(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE)
_MAIL = re.compile(r"[^@?/:]+@[^\W_](?:[\w.-]*\w)?(?:\?|$)")
_NEVER_LAST = ".,;:!?'*_~"
_PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text, from one character to before another."""

    start: int
    end: int
    url: str

    @property
    def opens(self) -> bool:
        """Whether a click may open it."""
        return self.url.partition(":")[0].lower() in _OPENED


def find_links(text: str) -> tuple[Link, ...]:
    """Return the links in their order, without the punctuation of the sentence around them."""
    links = []
    for match in _LINK.finditer(text):
        written = _without_last_signs(match.group())
        url = f"https://{written}" if written[:4].lower() == "www." else written
        if _has_a_place(url):
            links.append(Link(match.start(), match.start() + len(written), url))
    return tuple(links)


def open_link(url: str) -> bool:
    """Hand a link to the browser or the mail program; refuse any other kind."""
    target = QUrl(url, QUrl.ParsingMode.TolerantMode)
    if target.scheme().lower() not in _OPENED or not target.isValid():
        return False
    return QDesktopServices.openUrl(target)


def _without_last_signs(written: str) -> str:
    end = len(written)
    left_open = {closing: written.count(opening) - written.count(closing) for closing, opening in _PAIRS.items()}
    while end:
        last = written[end - 1]
        if left_open.get(last, 0) < 0:
            left_open[last] += 1
        elif last not in _NEVER_LAST:
            break
        end -= 1
    return written[:end]


def _has_a_place(url: str) -> bool:
    scheme, _, rest = url.partition(":")
    if scheme.lower() == "mailto":
        return _MAIL.match(rest) is not None
    place = rest.removeprefix("//")
    needs_dot = place[:4].lower() == "www."
    return _HOST.match(place) is not None and (not needs_dot or "." in place[4:].partition("/")[0])

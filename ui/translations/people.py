"""How a person stands to us, in words: presence, and why nothing can be written yet."""

import unicodedata
from functools import lru_cache

from PySide6.QtCore import QCoreApplication

from peer.views import Consent, ContactView, MessageState, MessageView
from ui.translations import moments

_LONGEST_NAME = 64
"""Characters of a name; our own are no longer, but somebody else's program may have sent any."""

_JOINERS = "\u200c\u200d"
"""Invisible, but parts of words and of joined emoji."""
MOST_NAMED = 12
"""People named in a tooltip, or in the name of a line for screen readers."""


@lru_cache(maxsize=512)
def short_name(name: str) -> str:
    """Return a name that can stand in a line: of bounded length, and without signs that turn the line around."""
    kept = [
        sign
        for sign in name[: 8 * _LONGEST_NAME]
        if sign in _JOINERS or unicodedata.category(sign)[0] not in "CZ" or sign == " "
    ]
    short = "".join(kept).strip()
    return short if len(short) <= _LONGEST_NAME else short[: _LONGEST_NAME - 1] + "…"


def names(everybody: tuple[str, ...], most: int = MOST_NAMED) -> str:
    """Return people in one line: Ana, Bo and 3 more."""
    shown = ", ".join(map(short_name, everybody[:most]))
    more = len(everybody) - most
    if more <= 0:
        return shown
    return QCoreApplication.translate("Message", "%1 and %2 more").replace("%2", str(more)).replace("%1", shown)


def sender(message: MessageView) -> str:
    """Return who wrote a message: You, or their name."""
    return QCoreApplication.translate("Sender", "You") if message.mine else short_name(message.author_name)


def presence(contact: ContactView) -> str:
    """Return the line under a name: "online · direct connection · verified", "offline · last seen 14:03"."""
    line = _whereabouts(contact)
    return f"{line} · {QCoreApplication.translate('Presence', 'verified')}" if contact.verified else line


def _whereabouts(contact: ContactView) -> str:
    if contact.online:
        online = QCoreApplication.translate("Presence", "online")
        return (
            online + " · " + QCoreApplication.translate("Presence", "direct connection") if contact.linked else online
        )
    if contact.linked:
        return QCoreApplication.translate("Presence", "direct connection")
    offline = QCoreApplication.translate("Presence", "offline")
    if contact.since is None:
        return offline
    seen = QCoreApplication.translate("Presence", "last seen %1").replace("%1", moments.since(contact.since))
    return f"{offline} · {seen}"


def typing(names: tuple[str, ...]) -> str:
    """Return who is writing: "Alice is typing…"; empty for nobody."""
    if not names:
        return ""
    first, *others = map(short_name, names)
    if not others:
        return QCoreApplication.translate("Typing", "%1 is typing…").replace("%1", first)
    if len(others) == 1:
        words = QCoreApplication.translate("Typing", "%1 and %2 are typing…")
        return words.replace("%2", others[0]).replace("%1", first)
    words = QCoreApplication.translate("Typing", "%1 and %2 others are typing…")
    return words.replace("%2", str(len(others))).replace("%1", first)


def standing(contact: ContactView | None) -> str:
    """Return what a row of the list says of somebody with whom no word was exchanged yet."""
    if contact is not None and contact.blocked:
        return QCoreApplication.translate("Standing", "Blocked")
    state = Consent.STRANGERS if contact is None else contact.state
    return {
        Consent.FRIENDS: QCoreApplication.translate("Standing", "Say hello"),
        Consent.ASKED_BY_ME: QCoreApplication.translate("Standing", "Waiting for an answer"),
        Consent.ASKED_BY_THEM: QCoreApplication.translate("Standing", "Wants to be your contact"),
        Consent.DECLINED: QCoreApplication.translate("Standing", "Request declined"),
        Consent.REMOVED: QCoreApplication.translate("Standing", "No longer a contact"),
        Consent.STRANGERS: QCoreApplication.translate("Standing", "Not a contact"),
    }[state]


def message_state(state: MessageState) -> str:
    """Return how far a message has come, in a word."""
    return {
        MessageState.STORED: QCoreApplication.translate("MessageState", "waiting to be sent"),
        MessageState.SENT: QCoreApplication.translate("MessageState", "sent"),
        MessageState.DELIVERED: QCoreApplication.translate("MessageState", "delivered"),
        MessageState.READ: QCoreApplication.translate("MessageState", "read"),
        MessageState.ARRIVED: QCoreApplication.translate("MessageState", "new"),
        MessageState.SEEN: "",
    }[state]

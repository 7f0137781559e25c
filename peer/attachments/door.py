"""Who may have the files of a conversation, and how others are reached for theirs."""

import socket
from collections.abc import Callable
from typing import Protocol

from peer.entries.conversation import Conversation
from peer.links.link import Link
from peer.links.link_book import Caller
from peer.services.conversations import Conversations
from protocol.identity import DeviceId, UserId


class FileDoor(Protocol):
    """What is known of devices and addresses."""

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """Return who it is; raise RemoteProtocolError for anybody who gets no files here."""

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """Return how to connect to somebody's port, on a thread."""

    def seek(self, user: UserId) -> None:
        """Have a link with a member for the next minutes: something of theirs is wanted."""

    def may_share(self, user: UserId, device: DeviceId, conversation: Conversation) -> bool:
        """Tell whether a device is one of a member of a conversation, and may see what is in it."""


class Readers:
    """The one place that says who gets files: the other of two friends, members of a group we are in."""

    def __init__(self, conversations: Conversations, door: FileDoor) -> None:
        self._conversations = conversations
        self._door = door

    def may_fetch(self, caller: Caller, conversation: Conversation) -> bool:
        """Tell whether a caller may have what is in a conversation."""
        return self._conversations.may_write(conversation) and self._door.may_share(*caller, conversation)

    def may_hear(self, link: Link, conversation: Conversation) -> bool:
        """Tell whether a link may be told of a conversation's files."""
        return (
            link.user is not None
            and link.device is not None
            and self.may_fetch(Caller(link.user, link.device), conversation)
        )

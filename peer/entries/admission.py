"""What of an entry is taken, by who wrote it and how we stand: all of it, its header alone, or nothing.

A header alone keeps a feed growing, so that a later word of its writer can still reach us; the body is asked for
again until its time has come. Runs on the storage thread, inside the write job that stores the entry.
"""

from peer.storage import feeds, messages, people
from peer.storage.database import Connection
from peer.storage.feeds import ConversationRow, FeedRow
from protocol import limits
from protocol.consent import Consent, Said, Standing, fold_consent, were_ever_friends
from protocol.entries import CONSENT_BODIES, Accepted, Asked, Entry, Removed, WireEntry
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, UserId
from protocol.replication import count_numbers


class Admission:
    """Judges the entries of one direct conversation."""

    def __init__(self, connection: Connection, conversation: ConversationRow, me: UserId, device: DeviceId) -> None:
        """`me` and `device` are who takes the entries in, and on which device."""
        self._connection = connection
        self._conversation = conversation
        self._me = me
        self._own_devices = {device} | people.own_devices(connection)
        self._said: list[Said] = []
        self._standing: Standing
        self.changed()

    def changed(self) -> None:
        """Another consent entry is stored now: stand by what it says from here on."""
        self._said = [row.said for row in messages.consent_in(self._connection, self._conversation.row)]
        self._standing = fold_consent(self._said)

    def as_allowed(self, author: UserId, entry: Entry, feed: FeedRow | None) -> Entry:
        """Return the entry with or without its body; raise RemoteProtocolError for one that is not taken at all.

        `feed` is the feed as held, None where this entry begins it.
        """
        if self._is_ours(author, entry):
            return entry
        is_consent = isinstance(entry.body, CONSENT_BODIES)
        if author == self._me:
            is_taken_whole = self._takes_whole_of_unvouched(entry)
        elif is_consent:
            is_taken_whole = self._takes_whole_consent(author, entry)
        elif self._standing.state is Consent.FRIENDS:
            return entry
        elif not self._had_dealings():
            raise RemoteProtocolError("an entry of somebody who is no friend")
        else:
            is_taken_whole = False
        if is_taken_whole:
            return entry
        if feed is not None and count_numbers(feed.line.lacking) >= limits.WITHHELD_HEADERS:
            raise RemoteProtocolError("too many entries whose time has not come")
        return without_body(entry)

    def counts(self, author: UserId, entry: Entry) -> bool:
        """Tell whether a stored consent entry has a say in how we stand."""
        return author != self._me or self._is_ours(author, entry) or not _is_yes(entry)

    def _is_ours(self, author: UserId, entry: Entry) -> bool:
        return author == self._me and entry.header.feed.device in self._own_devices

    def _takes_whole_of_unvouched(self, entry: Entry) -> bool:
        """Judge what is certified as ours, but comes from a device that this person never vouched for.

        Whoever owns the locator can make such a device, so its "yes" never makes a friend. A friend gives us our
        old texts back; before that only a "no" is heard, to keep in step with rounds that ended long ago.
        """
        if self._standing.state is Consent.STRANGERS:
            raise RemoteProtocolError("an entry of a device of ours that is not known here")
        if isinstance(entry.body, CONSENT_BODIES) and not _is_yes(entry):
            return self._is_due(entry)
        return self._standing.state is Consent.FRIENDS

    def _takes_whole_consent(self, author: UserId, entry: Entry) -> bool:
        state = self._standing.state
        is_new = state is not Consent.ASKED_BY_THEM and not any(each.by_me for each in self._said)
        is_full = messages.count_open_requests(self._connection) >= limits.PENDING_REQUESTS
        if is_new and _is_yes(entry) and is_full:
            raise RemoteProtocolError("too many friend requests are waiting for an answer")
        if state in {Consent.FRIENDS, Consent.ASKED_BY_ME}:
            return self._is_due(entry)
        held = feeds.count_entries_of(self._connection, self._conversation.row, author)
        if held >= limits.CONSENT_ENTRIES_PER_STRANGER and not self._had_dealings():
            raise RemoteProtocolError("too many requests of one person")
        return self._is_due(entry) and sum(not each.by_me for each in self._said) < limits.CONSENT_ENTRIES_PER_STRANGER

    def _had_dealings(self) -> bool:
        """Tell whether we were friends once, or ended what we had asked for, as far as is known on this device."""
        return were_ever_friends(self._said) or any(
            each.by_me and isinstance(each.body, Removed) for each in self._said
        )

    def _is_due(self, entry: Entry) -> bool:
        """Tell whether a round is not ahead of us: nobody can say yes beforehand to what comes after our "no"."""
        assert isinstance(entry.body, CONSENT_BODIES)
        return entry.body.round <= self._standing.round_to_ask


def without_body(entry: Entry) -> Entry:
    """Return an entry as its header alone."""
    wire = entry.wire
    return Entry(WireEntry(wire.header, wire.signature, None, wire.certificate), entry.header, entry.hash, None)


def _is_yes(entry: Entry) -> bool:
    return isinstance(entry.body, Asked | Accepted)

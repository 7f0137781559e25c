"""How what is said about messages changes them, whether it comes before or after the messages themselves.

Everything here runs on the storage thread, inside the write job that stores the entry. Of each person the last word
about a message is kept, so an entry costs the same however many there were before it.
"""

from collections.abc import Iterable

from peer.storage import acts, messages
from peer.storage.acts import Matter
from peer.storage.database import Connection
from peer.storage.feeds import FeedRow
from peer.storage.messages import MessageRow
from protocol.act_bodies import Edited, Reacted
from protocol.acts import Original, fold_acts
from protocol.entries import Attachment, Entry, Text
from protocol.identity import EntryId


class ActFolder:
    """Folds acts into the messages of one conversation."""

    def __init__(self, connection: Connection, conversation: int, acted_upon: dict[EntryId, None]) -> None:
        """`acted_upon` gathers the messages that have to be told anew."""
        self._connection = connection
        self._conversation = conversation
        self._acted_upon = acted_upon

    def take_act(self, feed: FeedRow, entry: Entry, body: Edited | Reacted) -> None:
        """Keep what was said about a message, and let the message be as it is now."""
        if not acts.put_act(self._connection, feed, entry, body):
            return
        if isinstance(body, Edited):
            self._fold_text(body.target)
        else:
            self._acted_upon[body.target] = None

    def take_message(self, row: MessageRow) -> None:
        """Let a message that has just come be what was said about it before; its replies can quote it now."""
        is_acted_upon, is_answered = acts.is_known_of(self._connection, self._conversation, row.entry)
        if is_answered:
            self._note_replies(row.entry)
        if is_acted_upon:
            self._acted_upon[row.entry] = None
            self._fold_text(row.entry)

    def find_last(self, matters: Iterable[Matter]) -> None:
        """Find out anew what the last words are, because feeds end elsewhere than it was known."""
        for matter in matters:
            acts.find_last(self._connection, self._conversation, matter)
            self._acted_upon[matter.target] = None
            self._fold_text(matter.target)

    def find(self, entry: EntryId) -> MessageRow | None:
        """Return a message of this conversation as it is now."""
        row = messages.find_message(self._connection, entry)
        return row if row is not None and row.conversation == self._conversation else None

    def _fold_text(self, target: EntryId) -> None:
        row = self.find(target)
        if row is None or row.is_event or row.kind == messages.DELETED:
            return
        edit = acts.edit_of(self._connection, self._conversation, target, row.author)
        present = fold_acts(self._original(row), [edit] if edit else [])
        if (present.text, present.mentions, present.edited) != (row.text, row.mentions, row.edited):
            messages.set_text(self._connection, target, present.text, present.mentions, present.edited)
            self._acted_upon[target] = None
            self._note_replies(target)

    def _original(self, row: MessageRow) -> Original:
        match acts.body_at(self._connection, self._conversation, row.feed, row.number):
            case Text(text=text, mentions=mentions):
                return Original(row.author, text, mentions, is_text=True)
            case Attachment(caption=caption):
                return Original(row.author, caption, (), is_text=False)
            case _:
                # It fell out of a closed feed, and its author has not written it again yet.
                return Original(row.author, row.text, row.mentions, is_text=row.attachment is None)

    def _note_replies(self, entry: EntryId) -> None:
        for reply in messages.replies_to(self._connection, self._conversation, entry):
            self._acted_upon[reply] = None

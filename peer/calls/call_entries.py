"""Leaves one line in a conversation for each call: how it ended, written by who rang, and by nobody else.

    await entries.rang(conversation, call, [bo])            # it rings there; from here on a crash leaves a line, too
    entries.joined(bo)                                      # somebody answered, or came later
    entries.declined(cy)                                    # or does not want to
    await entries.write_call(call, CallOutcome.ANSWERED)

That only one person writes needs no agreement: no line comes twice, none contradicts another, and its signature says
who tells it. Should their program die in the midst of a call, they write it when it starts again, from what was kept:
no other rule leaves exactly one line when two who were cut off from each other each believe the other dead. Others have
no line until then, as with any message of somebody who is away. A group's call may go on without who began it; the line
then tells of their part.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial

import msgspec

from peer.entries.conversation import Conversation
from peer.entries.intake import Ground
from peer.errors import Refusal
from peer.limits import CALL_KEPT_SECONDS
from peer.services.conversations import Conversations, check_sendable
from peer.storage.database import Connection, Database
from peer.storage.settings import get_setting, put_setting
from protocol.call_bodies import Called, CallOutcome
from protocol.identity import CallId, ConversationId, EntryId, UserId, from_builtin, to_builtin
from protocol.limits import CALL_SECONDS, GROUP_MEMBERS

log = logging.getLogger(__name__)
_SETTING = "call under way"


class _UnderWay(msgspec.Struct):
    """A call that we rang, as it is kept until its line is written."""

    conversation: ConversationId
    call: CallId
    rung: tuple[UserId, ...]
    people: tuple[UserId, ...] = ()
    """Who came."""
    declined: tuple[UserId, ...] = ()
    started: float = 0.0
    """When the first one came, as seconds since 1970; 0: nobody did."""
    until: float = 0.0
    """When it still went on, as far as is kept."""


_DECODER = msgspec.msgpack.Decoder(_UnderWay, dec_hook=from_builtin)


class CallEntries:
    """The line of the call that we rang; there is one call at a time."""

    def __init__(
        self, database: Database, conversations: Conversations, clock: Callable[[], datetime], me: UserId
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._clock = clock
        self._me = me
        self._now: _UnderWay | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        """Set when somebody came or declined, which is kept at once."""

    async def start(self) -> None:
        """Write the line of a call in which the program ended without having said goodbye."""
        kept = await self._database.read(lambda c: get_setting(c, _SETTING))
        if not kept:
            return
        now = _DECODER.decode(kept)
        try:
            await self._write(now, CallOutcome.ANSWERED if now.started else CallOutcome.WITHDRAWN)
        except Refusal as refusal:
            log.warning("the line of an earlier call cannot be written yet: %s", refusal)

    async def close(self) -> None:
        """Keep no more; what has no line yet gets it at the next start."""
        await self._stop_keeping()

    async def rang(self, conversation: Conversation, call: CallId, rung: Iterable[UserId]) -> None:
        """We ring these people: one line will tell of it, whatever happens from now on."""
        await self._stop_keeping()
        self._now = _UnderWay(conversation.id, call, tuple(rung)[:GROUP_MEMBERS])
        self._keeping = asyncio.create_task(self._keep_on(), name="keep call")

    def joined(self, user: UserId) -> None:
        """Somebody came: from the first one on there is a talk."""
        if self._now is not None and user not in self._now.people:
            self._now.people = (*self._now.people, user)[:GROUP_MEMBERS]
            self._now.started = self._now.started or self._seconds()
            self._changed.set()

    def declined(self, user: UserId) -> None:
        """Somebody does not want to, and misses nothing."""
        if self._now is not None and user not in self._now.declined:
            self._now.declined = (*self._now.declined, user)[:GROUP_MEMBERS]
            self._changed.set()

    async def write_call(self, call: CallId, outcome: CallOutcome) -> None:
        """Write how a call that we rang ended; once, however often it is asked for."""
        now = self._now
        if now is None or now.call != call:
            return
        self._now = None
        await self._stop_keeping()
        now.until = self._seconds()
        await self._write(now, outcome)

    async def drop(self, call: CallId) -> None:
        """Write nothing of a call: it became one with another one, whose line somebody else writes."""
        if self._now is not None and self._now.call == call:
            self._now = None
            await self._stop_keeping()
            await self._database.write(_forget, own=True)

    async def _write(self, now: _UnderWay, outcome: CallOutcome) -> None:
        """Where nothing can be written any more, as they are no friends by now or we left the group, is no line."""
        conversation = self._conversations.get(now.conversation)
        seconds = min(int(max(0.0, now.until - now.started)), CALL_SECONDS) if now.started else 0
        came = () if outcome is CallOutcome.DECLINED else now.rung
        missed = tuple(user for user in came if user not in {*now.people, *now.declined, self._me})

        def make(_ground: Ground, entry: EntryId, salt: bytes) -> Called:
            return Called(entry, salt, now.call, outcome.value, seconds, now.people, missed)

        if conversation is None or not _can_write(conversation, self._me):
            log.info("a call leaves no line: nothing can be written in its conversation any more")
            await self._database.write(_forget, own=True)
        else:
            await self._conversations.write(conversation, make, beside=_forget)

    async def _keep_on(self) -> None:
        """Keep who came, and until when the call went on, so that a crash costs its length some seconds only."""
        while self._now is not None:
            self._changed.clear()
            self._now.until = self._seconds()
            kept = msgspec.msgpack.encode(self._now, enc_hook=to_builtin)
            try:
                await self._database.write(partial(_keep, kept=kept), own=True)
            except Refusal as refusal:
                log.warning("a call that goes on is not kept: %s", refusal)
            with suppress(TimeoutError):
                async with asyncio.timeout(CALL_KEPT_SECONDS):
                    await self._changed.wait()

    async def _stop_keeping(self) -> None:
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    def _seconds(self) -> float:
        return self._clock().timestamp()


def _can_write(conversation: Conversation, me: UserId) -> bool:
    try:
        check_sendable(conversation, me, "")
    except Refusal:
        return False
    return True


def _keep(connection: Connection, kept: bytes) -> None:
    put_setting(connection, _SETTING, kept)


def _forget(connection: Connection) -> None:
    put_setting(connection, _SETTING, b"")

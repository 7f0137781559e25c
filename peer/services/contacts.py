"""The people we know: consent in and out, presence, pinned devices, and who may link with us."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from peer.entries.conversation import Conversation
from peer.entries.intake import Ground, MakeBody
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import ContactAccepted, ContactAsked, ContactChanged, Event, PresenceChanged
from peer.links.link_book import Caller
from peer.services.conversations import Conversations
from peer.storage import people
from peer.storage.database import Connection, Database
from peer.storage.people import ContactRow, DeviceRow
from peer.views import ContactView
from protocol import limits
from protocol.certificates import Role, public_key_of_authority, read_certificate
from protocol.consent import Consent, Standing
from protocol.device_lists import DeviceList, SignedDeviceList, open_device_list
from protocol.entries import Accepted, Asked, Body, Declined, Removed
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, EntryId, PublicKey, Realm, UserId
from protocol.locator_messages import Whereabout
from protocol.safety_numbers import is_same_number, safety_number

log = logging.getLogger(__name__)

WANTED = frozenset({Consent.FRIENDS, Consent.ASKED_BY_ME, Consent.ASKED_BY_THEM})
"""How we must stand with somebody to want a link: something may have to be said to each other."""


class Contacts:
    """Everybody, as far as this account is concerned."""

    def __init__(
        self,
        database: Database,
        events: EventStream,
        clock: Callable[[], datetime],
        *,
        realm: Realm,
        authority: bytes,
        me: UserId,
        my_name: str,
        my_key: PublicKey,
    ) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._realm = realm
        self._authority = authority
        self._authority_key = public_key_of_authority(authority)
        self._me = me
        self._my_name = my_name
        self._my_key = my_key
        self._my_device = DeviceId.of_key(my_key)
        self._people: dict[UserId, ContactRow] = {}
        self._devices: dict[DeviceId, DeviceRow] = {}
        self._lists: dict[UserId, DeviceList] = {}
        self._where: dict[UserId, Whereabout] = {}
        self._last_where: dict[UserId, Whereabout] = {}
        """Where they were when they were last there, also while the locator is out of reach."""
        self._linked: dict[UserId, int] = {}
        self._conversations: Conversations | None = None
        self._storing: set[asyncio.Future[None]] = set()
        self.has_other_devices = False
        """Whether the locator counts other devices as ours, too, as far as it told."""
        self.accepts_links = True
        """False while another device of ours is the active one."""
        self.on_device_shut_out: Callable[[UserId, frozenset[DeviceId]], None] = lambda *_: None
        """Called with a user and the devices that are still theirs."""

    async def load(self, conversations: Conversations) -> None:
        """Read everybody into memory; consent is folded by the conversations."""
        self._conversations = conversations
        conversations.on_consent = self._consent_changed

        def job(
            connection: Connection,
        ) -> tuple[list[ContactRow], list[DeviceRow], dict[UserId, SignedDeviceList]]:
            return people.all_contacts(connection), people.all_devices(connection), people.device_lists(connection)

        contacts, devices, lists = await self._database.read(job)
        self._people = {contact.user: contact for contact in contacts}
        self._devices = {device.device: device for device in devices}
        self._lists = {
            user: open_device_list(self._authority_key, self._realm, signed) for user, signed in lists.items()
        }

    # --- questions ---------------------------------------------------------------------------

    def name_of(self, user: UserId) -> str:
        """Return the name to show for somebody; their ID as long as they told none."""
        if user == self._me:
            return self._my_name
        contact = self._people.get(user)
        return contact.name if contact and contact.name else str(user)

    def is_online(self, user: UserId) -> bool:
        """Whether the locator knows them to be there, or a link says so."""
        about = self._where.get(user)
        return user in self._linked or bool(about and about.online)

    def is_blocked(self, user: UserId) -> bool:
        """Whether nothing of theirs is wanted here."""
        contact = self._people.get(user)
        return contact is not None and contact.blocked

    def is_confirmed(self, user: UserId, device: DeviceId) -> bool:
        """Whether a device may get what is meant for this user."""
        row = self._devices.get(device)
        return row is not None and row.user == user and row.confirmed

    def confirmed_devices(self, user: UserId) -> tuple[DeviceId, ...]:
        """Return the devices that we believe to be somebody's, those linked last first."""
        valid = self.valid_devices(user)
        rows = [row for row in self._devices.values() if row.device in valid and row.confirmed]
        newest = sorted(rows, key=lambda row: row.link_order, reverse=True)
        return tuple(row.device for row in newest[: limits.DEVICES_PER_USER])

    def valid_devices(self, user: UserId) -> set[DeviceId]:
        """Return the devices of somebody that we ever met and that the locator, as far as it told, counts as theirs."""
        listed = self._lists.get(user)
        met = {row.device for row in self._devices.values() if row.user == user}
        return met if listed is None else met & set(listed.devices)

    async def own_devices(self) -> tuple[DeviceId, ...]:
        """Return our other devices, those this person vouched for."""
        return tuple(await self._database.read(people.own_devices))

    def is_still_welcome(self, caller: Caller) -> bool:
        """See `Doorkeeper.is_still_welcome`."""
        valid = self._lists.get(caller.user)
        is_valid = valid is None or caller.device in valid.devices
        return self.accepts_links and is_valid and not self.is_blocked(caller.user)

    def wants_link(self, user: UserId) -> bool:
        """Whether a link with this user is of use: to us two, or to a group."""
        return self.wants_link_for_two(user) or (user in self._conv.fellow_members and not self.is_blocked(user))

    def wants_link_for_two(self, user: UserId) -> bool:
        """Whether we two may have something to say to each other."""
        return self._conv.standing_with(user).state in WANTED and not self.is_blocked(user)

    def wanted(self) -> set[UserId]:
        """Return everybody we want a link with."""
        users = (conversation.kept.user for conversation in self._conv.all())
        known = {user for user in users if user is not None} | self._conv.fellow_members
        return {user for user in known if self.wants_link(user)}

    def whereabout(self, user: UserId) -> Whereabout | None:
        """Return what the locator last told of somebody."""
        return self._where.get(user)

    def last_whereabout(self, user: UserId) -> Whereabout | None:
        """Return where somebody was when they were last there."""
        return self._last_where.get(user)

    def view(self, user: UserId) -> ContactView:
        """Return a person as the screen shows them."""
        conversation = self._conv.get(self._conv.id_with(user))
        standing = self._conv.standing_with(user)
        note, asked_at = _request_in(conversation, standing)
        contact = self._people.get(user, ContactRow(user, ""))
        about = self._where.get(user)
        return ContactView(
            user=user,
            name=self.name_of(user),
            state=standing.state,
            note=note,
            online=self.is_online(user),
            since=datetime.fromtimestamp(about.since / 1000, UTC) if about and about.since else None,
            linked=user in self._linked,
            verified=self._is_verified(user),
            blocked=contact.blocked,
            new_device=any(d.user == user and not d.confirmed for d in self._devices.values()),
            conversation=self._conv.id_with(user),
            asked_at=asked_at,
        )

    def all(self) -> list[ContactView]:
        """Return everybody we ever stood in any relation with, by name."""
        users = {c.kept.user for c in self._conv.all() if c.kept.user is not None and c.standing.round}
        users |= {contact.user for contact in self._people.values() if contact.blocked}
        return sorted((self.view(user) for user in users), key=lambda view: (view.name.casefold(), view.user))

    # --- consent -----------------------------------------------------------------------------

    async def ask(self, user: UserId, note: str) -> ContactView:
        """Ask somebody to be our friend; who has asked us already becomes one at once."""
        if user == self._me:
            raise Refusal(RefusalCode.YOURSELF, "That is your own ID. Enter the ID of somebody else.")
        if len(note) > limits.NOTE_LENGTH:
            raise Refusal(RefusalCode.TOO_LARGE, f"Keep the note to {limits.NOTE_LENGTH} characters.")

        def make(ground: Ground, entry: EntryId, salt: bytes) -> Body:
            standing = ground.standing()
            if standing.state is Consent.FRIENDS:
                raise Refusal(RefusalCode.ALREADY_FRIENDS, "You are friends already.")
            if standing.state is Consent.ASKED_BY_ME:
                raise Refusal(RefusalCode.ALREADY_ASKED, "You have asked already. The answer will show here.")
            return Asked(entry, salt, standing.round_to_ask, self._my_name, note)

        if self.is_blocked(user):
            await self._store_blocked(user, blocked=False)
        return await self._say(user, make)

    async def accept(self, user: UserId) -> ContactView:
        """Say yes to a request."""
        return await self._say(user, self._answer(lambda r, entry, salt: Accepted(entry, salt, r, self._my_name)))

    async def decline(self, user: UserId) -> ContactView:
        """Say no to a request."""
        return await self._say(user, self._answer(lambda r, entry, salt: Declined(entry, salt, r)))

    async def remove(self, user: UserId) -> ContactView:
        """End a friendship, or take a request back."""

        def make(ground: Ground, entry: EntryId, salt: bytes) -> Body:
            standing = ground.standing()
            if standing.state not in {Consent.FRIENDS, Consent.ASKED_BY_ME}:
                raise Refusal(RefusalCode.NOT_A_FRIEND, "There is no friendship or request to end.")
            return Removed(entry, salt, standing.round)

        return await self._say(user, make)

    async def set_blocked(self, user: UserId, *, blocked: bool) -> ContactView:
        """Want nothing more of somebody (they are not told), or take that back."""
        if user == self._me:
            raise Refusal(RefusalCode.YOURSELF, "You cannot block yourself.")
        await self._store_blocked(user, blocked=blocked)
        if blocked:
            self.on_device_shut_out(user, frozenset())
        return self._tell(ContactChanged, user)

    def _answer(self, say: Callable[[int, EntryId, bytes], Body]) -> MakeBody:
        def make(ground: Ground, entry: EntryId, salt: bytes) -> Body:
            standing = ground.standing()
            if standing.state is not Consent.ASKED_BY_THEM:
                raise Refusal(RefusalCode.NOT_ASKED, "There is no request to answer.")
            return say(standing.round, entry, salt)

        return make

    async def _say(self, user: UserId, make: MakeBody) -> ContactView:
        await self._conv.write(await self._conv.with_user(user), make)
        return self.view(user)

    def _consent_changed(self, user: UserId, before: Standing, names: dict[UserId, str]) -> None:
        name = names.get(user)
        if name is not None and self._people.get(user, ContactRow(user, "")).name != name:
            self._people[user] = replace(self._people.get(user, ContactRow(user, "")), name=name)
            contact = self._people[user]
            self.keep_soon(lambda c: people.put_name(c, contact.user, contact.name))
        now = self._conv.standing_with(user)
        if now.state is Consent.ASKED_BY_THEM and before.state is not Consent.ASKED_BY_THEM:
            self._tell(ContactAsked, user)
        elif now.state is Consent.FRIENDS and before.state is not Consent.FRIENDS:
            self._tell(ContactAccepted, user)
        else:
            self._tell(ContactChanged, user)

    # --- devices -----------------------------------------------------------------------------

    async def admit(self, certificate: bytes, expected: UserId | None) -> Caller:
        """See `Doorkeeper.admit`: the role, the user, the device list, and whether we want them at all."""
        if not self.accepts_links:
            raise ConnectionResetError("another device is the active one")
        shown = read_certificate(certificate, self._authority)
        if shown.role is not Role.USER or shown.user is None:
            raise RemoteProtocolError("a link with a certificate of another role")
        user, device = shown.user, shown.device
        if expected is not None and user != expected:
            raise RemoteProtocolError(f"{user} answered where {expected} was called")
        if user == self._me or device == self._my_device:
            raise RemoteProtocolError("a link with ourselves")
        if self.is_blocked(user):
            raise RemoteProtocolError("a link with somebody who is blocked")
        if not self.wants_link(user) and self._count_strangers() >= limits.STRANGER_LINKS:
            raise RemoteProtocolError("a stranger, and too many of them have links already")
        valid = self._lists.get(user)
        if valid is not None and device not in valid.devices:
            raise RemoteProtocolError(f"a device that is no longer one of {user}'s")
        if device not in self._devices and not shown.is_in_date(self._clock()):
            raise RemoteProtocolError("a certificate out of date, of a device that was never seen")
        await self._meet(user, shown.key)
        return Caller(user, device)

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """Return who is at the other end of a file connection: a device that had a link with us before.

        What it may have is judged for each request. Raises RemoteProtocolError for anybody else: nobody is met here for
        the first time.
        """
        shown = read_certificate(certificate, self._authority)
        if shown.role is not Role.USER or shown.user is None:
            raise RemoteProtocolError("a file connection with a certificate of another role")
        caller = Caller(shown.user, shown.device)
        if expected is not None and caller != expected:
            raise RemoteProtocolError(f"{caller.user} answered where {expected[0]} was called")
        if not self.is_still_welcome(caller) or caller.device not in self._devices:
            raise RemoteProtocolError(f"a file connection with {caller.user}, who gets none")
        return caller

    async def _meet(self, user: UserId, key: PublicKey) -> None:
        device, now_ms = DeviceId.of_key(key), int(self._clock().timestamp() * 1000)
        was_known = device in self._devices

        def remember(row: DeviceRow) -> None:
            # What memory holds of a known device is newer: its last link may be on its way to the disk.
            self._devices.setdefault(device, row)

        row = await self._database.write(lambda c: people.meet_device(c, user, key, now_ms), remember)
        if not was_known and not row.confirmed:
            log.warning("%s uses a device that was never seen; nothing goes to it before it is confirmed", user)
            self._tell(ContactChanged, user)

    def _count_strangers(self) -> int:
        return sum(not self.wants_link(user) for user in self._linked)

    async def confirm_devices(self, user: UserId) -> ContactView:
        """A person said: the new devices, as the screen shows them now, really are theirs."""
        shown = [device for device, row in self._devices.items() if row.user == user]

        if all(self._devices[device].confirmed for device in shown):
            return self.view(user)

        def remember(_: None) -> None:
            for device in shown:
                self._devices[device] = replace(self._devices[device], confirmed=True, verified=False)

        await self._database.write(lambda c: people.confirm_devices(c, user, shown), remember, own=True)
        return self._tell(ContactChanged, user)

    def safety_number(self, user: UserId) -> str:
        """Return what both people see while this device and theirs are linked; raise Refusal `no_device`."""
        return safety_number(self._realm, (self._me, [self._my_key]), (user, [self._last_linked(user).key]))

    async def verify(self, user: UserId, read: str) -> ContactView:
        """The two people compared their numbers; raise Refusal `safety_number_mismatch` if they are not the same."""
        if not is_same_number(read, self.safety_number(user)):
            raise Refusal(
                RefusalCode.SAFETY_NUMBER_MISMATCH,
                "The safety numbers differ. Compare again while both are online; if they still differ, somebody may "
                "stand between you.",
            )
        device = self._last_linked(user).device

        def remember(_: None) -> None:
            self._devices[device] = replace(self._devices[device], confirmed=True, verified=True)

        await self._database.write(lambda c: people.verify_device(c, device), remember, own=True)
        return self._tell(ContactChanged, user)

    def _last_linked(self, user: UserId) -> DeviceRow:
        if user == self._me:
            raise Refusal(RefusalCode.YOURSELF, "That is your own ID. Enter the ID of somebody else.")
        linked = [row for row in self._devices.values() if row.user == user and row.link_order]
        if not linked:
            raise Refusal(
                RefusalCode.NO_DEVICE,
                "There is no safety number before you have been online together for the first time.",
            )
        return max(linked, key=lambda row: row.link_order)

    def _is_verified(self, user: UserId) -> bool:
        """Whether the device that we would talk to, the confirmed one that was linked last, was compared."""
        confirmed = [row for row in self._devices.values() if row.user == user and row.confirmed]
        return bool(confirmed) and max(confirmed, key=lambda row: row.link_order).verified

    def keep_own_devices(self, signed: SignedDeviceList, *, vouched: bool) -> None:
        """The locator told which devices are ours; `vouched` when this person has just acted here, knowing that."""
        try:
            mine = open_device_list(self._authority_key, self._realm, signed)
        except RemoteProtocolError as error:
            log.warning("our own device list was refused: %s", error)
            return
        if mine.user == self._me:
            self.has_other_devices = bool(set(mine.devices) - {self._my_device})
            self.keep_soon(lambda c: people.keep_own_devices(c, mine.devices, vouched=vouched))

    # --- presence ----------------------------------------------------------------------------

    def somebody_moved(self, about: Whereabout) -> None:
        """The locator told where somebody is, and which devices are theirs."""
        before = self.is_online(about.user)
        known = self._where.get(about.user)
        self._where[about.user] = about
        if about.online:
            self._last_where[about.user] = about
        if about.device_list is not None:
            self._take_device_list(about.user, about.device_list)
        if self.is_online(about.user) != before or known is None or known.since != about.since:
            self._tell(PresenceChanged, about.user)

    def locator_lost(self) -> None:
        """Nobody tells us any more who is there; links still do."""
        gone = [user for user, about in self._where.items() if about.online]
        self._where.clear()
        for user in gone:
            if user not in self._linked:
                self._tell(PresenceChanged, user)

    def link_came(self, user: UserId, device: DeviceId) -> None:
        """A link with one of their devices is up."""
        self._linked[user] = self._linked.get(user, 0) + 1
        order = 1 + max(row.link_order for row in self._devices.values() if row.user == user)
        self._devices[device] = replace(self._devices[device], link_order=order)
        self.keep_soon(lambda c: people.put_link_order(c, device, order))
        self._tell(PresenceChanged, user)

    def link_went(self, user: UserId) -> None:
        """It is down again."""
        left = self._linked.pop(user, 1) - 1
        if left:
            self._linked[user] = left
        self._tell(PresenceChanged, user)

    def _take_device_list(self, user: UserId, signed: SignedDeviceList) -> None:
        try:
            fresh = open_device_list(self._authority_key, self._realm, signed)
        except RemoteProtocolError as error:
            log.warning("the device list of %s was refused: %s", user, error)
            return
        known = self._lists.get(user)
        if fresh.user != user or (known is not None and fresh.number <= known.number):
            return
        self._lists[user] = fresh
        self.keep_soon(lambda c: people.put_device_list(c, user, fresh.number, signed))
        self.on_device_shut_out(user, frozenset(fresh.devices))

    # --- inside ------------------------------------------------------------------------------

    @property
    def _conv(self) -> Conversations:
        assert self._conversations is not None
        return self._conversations

    async def _store_blocked(self, user: UserId, *, blocked: bool) -> None:
        def remember(_: None) -> None:
            self._people[user] = replace(self._people.get(user, ContactRow(user, "")), blocked=blocked)

        await self._database.write(lambda c: people.put_blocked(c, user, blocked=blocked), remember, own=True)

    def keep_soon(self, job: Callable[[Connection], None]) -> None:
        """Keep what would come again if it were lost: nobody waits for it."""
        task = asyncio.ensure_future(self._database.write(job))
        self._storing.add(task)
        task.add_done_callback(self._stored)

    def _stored(self, task: "asyncio.Future[None]") -> None:
        self._storing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("something about a contact could not be kept: %s", error)

    def _tell(self, event: Callable[[ContactView], Event], user: UserId) -> ContactView:
        view = self.view(user)
        self._events.tell(event(view))
        return view


def _request_in(conversation: Conversation | None, standing: Standing) -> tuple[str, datetime | None]:
    """Return the note and time of the request that opened the round."""
    if conversation is None:
        return "", None
    for row in conversation.said:
        body = row.said.body
        if isinstance(body, Asked) and body.round == standing.round:
            return body.note, datetime.fromtimestamp(row.stamp / 1000, UTC)
    return "", None

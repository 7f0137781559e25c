"""One signed-in account: builds its parts, joins them, and takes them down again."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence

from peer import limits
from peer.account_facts import AccountFacts
from peer.accounts.accounts import AccountFolder
from peer.accounts.identity_vault import IdentityVault
from peer.attachments.service import Attachments
from peer.audio.chosen_devices import ChosenDevices
from peer.calls.call_entries import CallEntries
from peer.calls.lines import CallLines
from peer.calls.service import CallMessage, CallService
from peer.calls.voice_port import VoicePort
from peer.entries.conversation import Conversation
from peer.entries.happened import Author
from peer.errors import Refusal
from peer.event_stream import EventStream
from peer.events import Connected, Disconnected, Superseded
from peer.links.dialing import Dialer
from peer.links.link import Link, LinkEnd
from peer.links.link_book import Caller, LinkBook
from peer.links.listening import LinkPort
from peer.locating.locator_client import FINAL, LocatorClient
from peer.locating.locator_connection import LocatorConnection
from peer.locating.locator_places import LocatorPlaces
from peer.pictures.picture_service import Pictures
from peer.replication.aiming import Aim
from peer.replication.link_sync import Farewell
from peer.replication.statements import Statements
from peer.replication.synchronizer import Synchronizer
from peer.services.contacts import Contacts
from peer.services.conversations import Conversations
from peer.services.groups import Groups
from peer.services.messages import Messages
from peer.services.typing_signals import TypingSignals
from peer.storage.database import Database
from peer.surroundings import Surroundings
from peer.transfers.pulling import dial_any
from peer.transfers.serving import FileServer
from peer.views import ContactView, SessionView
from protocol import link_messages
from protocol.call_states import CallEnd
from protocol.certificates import read_certificate
from protocol.consent import Consent, Standing
from protocol.entries import WireEntry, read_header
from protocol.errors import RemoteProtocolError
from protocol.file_messages import ALPN, MAGIC
from protocol.identity import NO_CONVERSATION, DeviceId, Realm, UserId
from protocol.link_messages import Greeting, Pieces, Typing, WhatPieces
from protocol.locator_messages import LoggedIn, Whereabout
from protocol.membership import Membership
from protocol.registry import Message

log = logging.getLogger(__name__)
_GREETING = Greeting(version=1, software="hail 0.1")


class Session:
    """An open account. `start` brings it to life, `close` ends it; in between it runs by itself."""

    def __init__(
        self,
        surroundings: Surroundings,
        folder: AccountFolder,
        vault: IdentityVault,
        database: Database,
        places: LocatorPlaces,
        realm: Realm,
        user: UserId,
        facts: AccountFacts,
        port: LinkPort,
        voice_port: VoicePort,
        events: EventStream,
    ) -> None:
        """The session owns folder, database and ports from here on, and closes them."""
        self.user = user
        self.realm = realm
        self._surroundings = surroundings
        self.folder = folder
        self._vault = vault
        self._database = database
        self._places = places
        self._facts = facts
        self._events = events
        self._is_superseded = False
        self._must_sign_in = False
        self._heard_of_locator = asyncio.Event()
        self._vouches = False
        """Whether the person has just said here to be at this device: what the locator lists then is theirs."""
        self.contacts = Contacts(
            database,
            events,
            surroundings.now,
            realm=realm,
            authority=facts.authority,
            me=user,
            my_name=facts.name or str(user),
            my_key=vault.public_key,
        )
        author = Author(realm, user, vault.signing_key, facts.certificate, facts.authority)
        self.conversations = Conversations(
            database, author, events, surroundings.now, self.contacts.name_of, self.contacts.is_online
        )
        self.pictures = Pictures(surroundings.worker("pictures"), folder.pictures)
        self.attachments = Attachments(
            database,
            self.conversations,
            events,
            clock=surroundings.now,
            worker=surroundings.worker,
            me=user,
            name_of=self.contacts.name_of,
            copies=folder.sent,
            downloads=surroundings.downloads() / "Hail",
            account_folder=f"{user} ({realm.hex()[:8]})" if folder.has_namesake() else str(user),
            pictures=self.pictures,
            chance=surroundings.chance,
            door=self,
        )
        self.audio = ChosenDevices(database)
        self.groups = Groups(self.conversations, self.contacts, events, me=user, my_devices=lambda: (vault.device,))
        self._book = LinkBook(vault.device, _GREETING, self.contacts, self)
        self.messages = Messages(self.conversations, user)
        self.call_entries = CallEntries(database, self.conversations, surroundings.now, user)
        self.typing = TypingSignals(self.conversations, events, lambda: self._book.links, self._may_share)
        self._port = port
        self.voice_port = voice_port
        context = vault.link_context(certificate=facts.certificate, authority=facts.authority, is_server=False)
        self._dialer = Dialer(surroundings.wire, self._book, context, surroundings.chance)
        self._aim = Aim(self.contacts, self.conversations, self._dialer, self._book, surroundings.chance, user)
        self.calls = CallService(
            CallLines(
                user,
                vault.device,
                lambda: self._book.links,
                self._may_talk,
                self.contacts.is_online,
                self.seek,
                lambda: (voice_port.number, surroundings.wire.addresses()),
            ),
            self.conversations,
            events,
            surroundings.now,
            voice_port,
            surroundings.call_voice,
            lambda: self.audio.chosen,
            self.call_entries,
        )
        self._statements = Statements(
            database,
            self.conversations,
            author,
            lambda: self._book.links,
            self._may_share,
            self._aim.choice.is_neighbour,
            surroundings.now,
            surroundings.chance,
        )
        self._synchronizer: Synchronizer
        self._file_server: FileServer
        self.locator: LocatorClient

    async def start(self, connection: LocatorConnection | None, logged_in: LoggedIn | None) -> None:
        """Load what is kept, begin to talk. Raises Refusal; then `close` still has to be called."""
        mark = self.folder.home_mark()
        await self._database.write(lambda c: self._facts.settle(c, mark), own=True)
        await self.conversations.load()
        await self.contacts.load(self.conversations)
        await self.attachments.load()
        await self.audio.load()
        self.contacts.on_device_shut_out = self._shut_out
        on_contact_consent = self.conversations.on_consent

        def consent_changed(user: UserId, before: Standing, names: dict[UserId, str]) -> None:
            on_contact_consent(user, before, names)
            self._relation_changed(user)

        self.conversations.on_consent = consent_changed
        self.conversations.on_group = self._group_changed
        self._synchronizer = Synchronizer(
            self.conversations,
            self._may_share,
            self._may_begin_group,
            self._is_group_of_friend,
            _farewell,
            self._aim.choice.is_neighbour,
            self._surroundings.chance,
        )
        self._synchronizer.on_own_news = self._statements.changed
        self._aim.on_chosen = self._neighbours_changed
        await self._statements.start()
        self._aim.start()
        self._vouches = logged_in is not None  # with the password, a moment ago
        now = self._surroundings.now()
        certificate = read_certificate(self._facts.certificate, self._facts.authority)
        self.locator = LocatorClient(
            self._surroundings.wire,
            self._places,
            self.realm,
            self.user,
            self._vault,
            self._facts.endpoint(self._surroundings),
            self,
            now=self._surroundings.now,
            chance=self._surroundings.chance,
            session=self._facts.session,
            certificate_is_due=certificate.is_due_for_renewal(now),
        )
        facts = self._facts
        self._file_server = FileServer(self.attachments.given, self._files_context(is_server=True))
        self._port.serve(
            self._book,
            self._vault.link_context(certificate=facts.certificate, authority=facts.authority, is_server=True),
            self._file_server.take,
        )
        await self.attachments.start(self._files_context(is_server=False))
        self.locator.watch(self.contacts.wanted())
        self.locator.start(connection, logged_in)
        await self.call_entries.start()

    async def close(self) -> None:
        """Say goodbye, flush, close everything; safe after a failed `start`."""
        await self.calls.close()
        if hasattr(self, "locator"):
            await self.locator.close()
        await self.call_entries.close()
        await self._aim.close()
        await self._statements.close()
        await self._dialer.close()
        await self._port.close()
        self.voice_port.close()
        await self._book.close_all(LinkEnd.LEAVING)
        if hasattr(self, "_file_server"):
            self._file_server.close()
        await self.attachments.close()
        if hasattr(self, "_synchronizer"):
            await self._synchronizer.close()
            await self.conversations.receipts.close()
        self.pictures.close()
        await self._database.close()
        self.folder.unlock()

    async def hear_of_locator(self) -> None:
        """Wait a moment until it is known whether the locator takes us, so that the first view tells."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.FIRST_WORD_SECONDS):
                await self._heard_of_locator.wait()

    def view(self) -> SessionView:
        """Return who is signed in, and how it stands."""
        return SessionView(
            user=self.user,
            name=self._facts.name or str(self.user),
            device=self._vault.device,
            locator=self._places.given.link(self.realm),
            connected=hasattr(self, "locator") and self.locator.is_connected,
            superseded=self._is_superseded,
            must_sign_in=self._must_sign_in,
            listen_port=self._facts.listen_port,
            voice_port=self._facts.voice_port,
            links=len(self._book.links),
            other_devices=self.contacts.has_other_devices,
            must_change_password=hasattr(self, "locator") and self.locator.must_change_password,
        )

    def take_over(self) -> None:
        """A person clicked: this is the active device again."""
        self._is_superseded = False
        self._vouches = not self.locator.is_connected
        self.contacts.accepts_links = True
        self.locator.take_over()

    async def change_password(self, old: str, new: str) -> None:
        """Have the locator and the vault take a new password; every other device must sign in with it again."""

        async def agree() -> None:
            await self.locator.change_password(old, new)

        had_to = self.locator.must_change_password
        worker = self._surroundings.worker("password")
        try:
            await self._vault.change_password(new, agree, worker)
        finally:
            worker.shutdown(wait=False)
        if had_to:
            self._events.tell(Connected(self.view()))

    async def is_unknown(self, user: UserId) -> bool:
        """Tell whether the locator says that there is no such account; while it is out of reach nobody knows."""
        try:
            (about,) = await self.locator.where([user])
        except Refusal as refusal:
            log.info("whether %s exists is not known: %s", user, refusal)
            return False
        return not about.known

    async def confirm_devices(self, user: UserId) -> ContactView:
        """A person said that a friend's new device really is theirs: let it have what waits."""
        view = await self.contacts.confirm_devices(user)
        await self.groups.vouch_for(user)
        self._sharing_changed(user)
        return view

    async def verify(self, user: UserId, safety_number: str) -> ContactView:
        """The two people compared numbers, which is more than to confirm a device: let it have what waits."""
        view = await self.contacts.verify(user, safety_number)
        await self.groups.vouch_for(user)
        self._sharing_changed(user)
        return view

    async def set_blocked(self, user: UserId, *, blocked: bool) -> ContactView:
        """Cut every tie with somebody, or allow them again."""
        view = await self.contacts.set_blocked(user, blocked=blocked)
        self._relation_changed(user)
        return view

    # --- what the locator tells --------------------------------------------------------------

    def locator_connected(self, logged_in: LoggedIn) -> None:
        """See `LocatorListener`."""
        self._is_superseded = self._must_sign_in = False
        self._heard_of_locator.set()
        self._facts.session = logged_in.session
        if logged_in.certificate:
            self._facts.certificate = logged_in.certificate
        facts = self._facts
        self.contacts.keep_soon(facts.write)
        self.contacts.keep_own_devices(logged_in.device_list, vouched=self._vouches)
        self._vouches = False
        self._events.tell(Connected(self.view()))

    def locator_lost(self, refusal: Refusal) -> None:
        """See `LocatorListener`."""
        self._must_sign_in = refusal.code in FINAL
        self._heard_of_locator.set()
        self.contacts.locator_lost()
        self._events.tell(Disconnected(self.view(), refusal.code, refusal.message))

    def superseded(self) -> None:
        """See `LocatorListener`: another device is the active one now, so this one goes quiet."""
        self._is_superseded = True
        self._heard_of_locator.set()
        self.contacts.accepts_links = False
        self.calls.end_everything(CallEnd.ELSEWHERE)
        self.contacts.locator_lost()
        self._dialer.forget_all()
        self._book.close_every(LinkEnd.LEAVING)
        self._file_server.hang_up()
        self._events.tell(Superseded(self.view()))

    def somebody_moved(self, about: Whereabout) -> None:
        """See `LocatorListener`."""
        self.contacts.somebody_moved(about)
        self._aim.at(about.user)
        self._aim.choose_soon(about.user)
        self._tell_row(about.user)

    # --- what links tell ---------------------------------------------------------------------

    def link_came_up(self, link: Link) -> None:
        """See `LinkListener`."""
        assert link.user is not None
        assert link.device is not None
        self.contacts.link_came(link.user, link.device)
        self.locator.watch([link.user])
        self._aim.choose_soon(link.user)
        self._synchronizer.add(link)
        for conversation in self.conversations.ours():
            group = conversation.group
            if group is not None and link.device not in group.members.get(link.user, {link.device}):
                self.groups.tell(conversation)  # somebody may have to say that this device is theirs
        self.attachments.link_came_up(link)
        self.calls.link_came_up(link)
        self._tell_row(link.user)

    async def message_came(self, link: Link, message: Message) -> None:
        """See `LinkListener`."""
        if isinstance(message, WhatPieces | Pieces):
            await self.attachments.holdings.handle(link, message)
        elif isinstance(message, link_messages.Statements):
            await self._statements.handle(link, message)
        elif isinstance(message, CallMessage):
            self.calls.handle(link, message)
        elif isinstance(message, Typing):
            self.typing.handle(link, message)
        else:
            await self._synchronizer.handle(link, message)

    def link_went_down(self, link: Link) -> None:
        """See `LinkListener`."""
        assert link.user is not None
        self.contacts.link_went(link.user)
        self._aim.choose_soon()
        self._synchronizer.remove(link)
        self.attachments.link_went_down(link)
        self._tell_row(link.user)
        if not self.contacts.wants_link(link.user):
            self.locator.unwatch(link.user)
        if link.end is not LinkEnd.DUPLICATE:
            self._dialer.link_may_be_missing(link.user, after_loss=True)

    # --- inside ------------------------------------------------------------------------------

    def _neighbours_changed(self) -> None:
        self._synchronizer.neighbours_changed()
        self._statements.neighbours_changed()

    def _may_share(self, link: Link, conversation: Conversation) -> bool:
        return (
            link.user is not None and link.device is not None and self.may_share(link.user, link.device, conversation)
        )

    def may_share(self, user: UserId, device: DeviceId, conversation: Conversation) -> bool:
        """See `FileDoor.may_share`."""
        if conversation.group is not None:
            is_member = device in conversation.group.members.get(user, ())
        else:
            is_member = conversation.kept.user == user and self.contacts.is_confirmed(user, device)
        return is_member and not self.contacts.is_blocked(user)

    def _may_talk(self, user: UserId, device: DeviceId, conversation: Conversation) -> bool:
        return self.conversations.may_write(conversation) and self.may_share(user, device, conversation)

    def admit_for_files(self, certificate: bytes, expected: tuple[UserId, DeviceId] | None) -> Caller:
        """See `FileDoor.admit_for_files`."""
        return self.contacts.admit_for_files(certificate, expected)

    def dial_for_files(self, user: UserId) -> Callable[[], socket.socket]:
        """See `FileDoor.dial_for_files`: where their link comes from, then where the locator saw them last."""
        about, link = self.contacts.last_whereabout(user), self._book.link_with(user)
        addresses = tuple(dict.fromkeys((link.address if link else "", *(about.addresses if about else ()))))
        port = about.listen_port if about else 0
        wire = self._surroundings.wire
        return lambda: dial_any(
            [address for address in addresses if address], port, lambda host, at: wire.dial_blocking(host, at, MAGIC)
        )

    def seek(self, user: UserId) -> None:
        """See `FileDoor.seek`."""
        if user in self.conversations.fellow_members:
            self._aim.seek(user)

    def _files_context(self, *, is_server: bool) -> ssl.SSLContext:
        facts = self._facts
        return self._vault.link_context(
            certificate=facts.certificate, authority=facts.authority, is_server=is_server, alpn=ALPN
        )

    def _may_begin_group(self, link: Link) -> bool:
        """Tell whether a group may become known to us by somebody: a friend, and not too many that are not ours."""
        assert link.user is not None
        assert link.device is not None
        return self._may_begin(link.user, link.device)

    def _is_group_of_friend(self, entries: Sequence[WireEntry]) -> bool:
        """Tell by its first entry whether a group may become known to us by anybody: a friend, gone since, made it."""
        if not entries:
            return False
        try:
            header = read_header(entries[0].header)
            maker = read_certificate(entries[0].certificate, self._facts.authority)
        except RemoteProtocolError:
            return False
        is_first = header.conversation == NO_CONVERSATION and header.number == 1
        return is_first and maker.user is not None and self._may_begin(maker.user, header.feed.device)

    def _may_begin(self, user: UserId, device: DeviceId) -> bool:
        is_friend = self.conversations.standing_with(user).state is Consent.FRIENDS
        not_ours = sum(not self.conversations.is_ours(each) for each in self.conversations.all())
        is_confirmed = self.contacts.is_confirmed(user, device)
        return is_friend and is_confirmed and not_ours < limits.GROUPS_NOT_OURS

    def _group_changed(self, group: Conversation, before: Membership) -> None:
        assert group.group is not None
        for user in {*group.group.members, *before.members} - {self.user}:
            self._relation_changed(user)
            if before.members.get(user, set()) < group.group.members.get(user, set()):
                self._synchronizer.sharing_changed(user)
            elif user in before.members and user not in group.group.members:
                self._synchronizer.bid_farewell(group, user)
        self._aim.choose_soon()
        self.calls.group_changed(group)
        if self.conversations.is_ours(group) or self.user in before.members:
            self.groups.tell(group)
            self.conversations.tell_row_soon(group)

    def _sharing_changed(self, user: UserId) -> None:
        self._synchronizer.sharing_changed(user)
        self._speak_of_files_with(user)

    def _speak_of_files_with(self, user: UserId) -> None:
        for link in self._book.links:
            if link.user == user:
                self.attachments.link_came_up(link)

    def _relation_changed(self, user: UserId) -> None:
        if self.contacts.wants_link(user):
            self.locator.watch([user])
        self._aim.at(user)
        self.calls.relation_changed(user)
        self._tell_row(user)
        self._speak_of_files_with(user)

    def _shut_out(self, user: UserId, still_valid: frozenset[DeviceId]) -> None:
        self._book.close_user(user, LinkEnd.NOT_VALID, but=still_valid)

    def _tell_row(self, user: UserId) -> None:
        conversation = self.conversations.get(self.conversations.id_with(user))
        if conversation is not None:
            self.conversations.tell_row_soon(conversation)


def _farewell(link: Link, conversation: Conversation) -> Farewell | None:
    """Return how far a group's feeds still go to somebody who is in it no more; None for everybody else."""
    if conversation.group is None or link.user is None:
        return None
    bounds = conversation.group.former.get(link.user)
    return None if bounds is None or link.device not in bounds.devices else bounds.heard

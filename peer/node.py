"""The node's front door: every thing a person or a script can do, as a typed async method."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from peer.accounts.accounts import Profile
from peer.accounts.secret_keeper import SecretKeeper
from peer.attachments.outgoing import Outgoing
from peer.audio.voice_messages import VoiceMessages
from peer.call_door import Calls
from peer.entries.conversation import Conversation
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import Disconnected, Event
from peer.locating.discovery import LocatorSearch
from peer.pictures.tasks import CleanPicture, Thumbnail
from peer.session import Session
from peer.sign_in import SignIn, Wishes, parse_user_id
from peer.surroundings import Surroundings
from peer.views import (
    AccountView,
    AudioChoice,
    ContactView,
    ConversationId,
    ConversationView,
    EntryId,
    FoundLocator,
    GroupView,
    MentionView,
    MessageKind,
    MessagePage,
    MessageView,
    PageAt,
    SecretPlace,
    SessionView,
    SharedAt,
    WhereaboutView,
    WhoHasView,
)
from peer.voice_trial import VoiceTrial
from protocol import limits

_NEWEST = PageAt()
_NEWEST_SHARED = SharedAt()


class PeerNode:
    """A peer without a screen.

    All methods run on the network thread's loop. They raise `Refusal` when something is not done; nothing is
    lost by that.
    """

    def __init__(self, profile: Path, surroundings: Surroundings | None = None) -> None:
        """`profile` is the folder with one sub-folder per account; it is made when needed."""
        self._profile = Profile(profile)
        self._surroundings = surroundings or Surroundings()
        self._keeper = SecretKeeper(self._surroundings.abandonable_worker)
        self._events = EventStream()
        self._session: Session | None = None
        self._before_close: list[Callable[[], Awaitable[None]]] = []
        self._signing = asyncio.Lock()
        self._search: LocatorSearch | None = None
        self.voice = VoiceMessages(
            self._events,
            self._surroundings.now,
            lambda: self._need_session().folder.recordings,
            lambda: self._need_session().audio.choice,
        )
        """Recording and playing of voice messages."""
        self.calls = Calls(self._need_session, self.voice.devices)
        """Voice calls."""
        self.voice_trial = VoiceTrial(self._events, lambda: self._need_session().audio.chosen)
        """Trying how one sounds in a call."""

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        """Call `subscriber` with every later event, on the network thread; return how to end that."""
        return self._events.subscribe(subscriber)

    def last_account(self) -> AccountView | None:
        """Return the account that was signed in last on this profile. Callable from any thread."""
        return self._profile.last_account()

    def close_with(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have what serves this node closed before it."""
        self._before_close.append(close)

    async def close(self) -> None:
        """Sign out and stop; nothing that was answered for is lost."""
        await self.stop_finding_locators()
        while self._before_close:
            await self._before_close.pop()()
        async with self._signing:
            await self._end_session()

    # --- before signing in -------------------------------------------------------------------

    async def find_locators(self) -> None:
        """Begin to look for locators on the local network; called again, look afresh."""
        await self.stop_finding_locators()
        self._search = LocatorSearch()
        self._search.start()

    async def found_locators(self, seen: tuple[FoundLocator, ...] = ()) -> tuple[FoundLocator, ...] | None:
        """Return the locators found once they differ from `seen`; None when nobody looks any more."""
        return await self._search.changed(seen) if self._search is not None else None

    async def stop_finding_locators(self) -> None:
        """Look no more."""
        search, self._search = self._search, None
        if search is not None:
            await search.stop()

    # --- session -----------------------------------------------------------------------------

    async def register(
        self,
        locator: str,
        user: str,
        password: str,
        name: str,
        listen_port: int = 0,
        voice_port: int = 0,
        *,
        stay_signed_in: bool | None = False,
    ) -> SessionView:
        """Make an account at a locator and sign in; the same ID and password again is a sign-in."""
        wishes = Wishes(new_name=name, listen_port=listen_port, voice_port=voice_port, stay_signed_in=stay_signed_in)
        return await self._sign_in(locator, user, password, wishes)

    async def log_in(
        self,
        locator: str,
        user: str,
        password: str,
        listen_port: int = 0,
        voice_port: int = 0,
        *,
        stay_signed_in: bool | None = False,
        old_password: str | None = None,
        set_old_aside: bool = False,
    ) -> SessionView:
        """Sign in; without the locator too, where this account was used before (then `connected` is False).

        `stay_signed_in` lets `sign_in_again` do without the password; None leaves that as it was. Refusal
        `vault_locked`: the password is right, but this profile still has the former one. Then `old_password` opens
        it and locks it with the new one; or `set_old_aside` moves it away and begins as a new device.
        """
        wishes = Wishes(
            listen_port=listen_port,
            voice_port=voice_port,
            old_password=old_password,
            set_old_aside=set_old_aside,
            stay_signed_in=stay_signed_in,
        )
        return await self._sign_in(locator, user, password, wishes)

    async def sign_in_again(self) -> SessionView | None:
        """Sign in who was here last and stays signed in; None if nobody does, or if the kept key does not fit.

        The device's key resumes its last session: if another device is the active one by now, `superseded` is True.
        """
        async with self._signing:
            self._need_nobody()
            account = self._profile.last_account()
            if account is None:
                return None
            attempt = self._attempt(account.locator, account.user)
            self._session = await attempt.run_without_password()
            return self._session.view() if self._session else None

    async def secret_place(self) -> SecretPlace:
        """Tell where the key of somebody who stays signed in would be kept on this computer."""
        return await self._keeper.place()

    async def log_out(self) -> None:
        """Sign out: friends see it at once, the files are closed, and only the password opens them again."""
        async with self._signing:
            session = self._need_session()
            await self._keeper.forget(session.folder)
            await self._end_session()
            self._events.tell(Disconnected(session.view(), RefusalCode.NOT_SIGNED_IN, "Signed out."))

    async def session(self) -> SessionView | None:
        """Return who is signed in."""
        return self._session.view() if self._session else None

    async def resume(self) -> SessionView:
        """Be the active device again, after another one took over."""
        session = self._need_session()
        session.take_over()
        return session.view()

    async def change_password(self, old: str, new: str) -> None:
        """Change the password at the locator and of this profile; other devices must sign in with it again."""
        if len(new) < limits.SHORTEST_CHOSEN_PASSWORD:
            raise Refusal(
                RefusalCode.WEAK_PASSWORD,
                f"Choose a password of at least {limits.SHORTEST_CHOSEN_PASSWORD} characters.",
            )
        await self._need_session().change_password(old, new)

    async def where(self, users: Sequence[str]) -> list[WhereaboutView]:
        """Ask the locator where users are, in the order asked for; an unknown ID is simply not online."""
        if len(users) > limits.USERS_PER_QUESTION:
            raise Refusal(RefusalCode.TOO_MANY, f"Ask for at most {limits.USERS_PER_QUESTION} IDs at once.")
        asked = [parse_user_id(user) for user in users]
        answers = await self._need_session().locator.where(asked)
        return [
            WhereaboutView(
                about.user,
                about.online,
                about.addresses,
                about.listen_port,
                about.voice_port,
                course=about.online and not about.listen_port,
            )
            for about in answers
        ]

    # --- contacts ----------------------------------------------------------------------------

    async def contacts(self) -> list[ContactView]:
        """Return everybody we stand in any relation with."""
        return self._need_session().contacts.all()

    async def contact(self, user: str) -> ContactView:
        """Return one person, known or not."""
        return self._need_session().contacts.view(parse_user_id(user))

    async def ask(self, user: str, note: str = "") -> ContactView:
        """Ask somebody to be our friend. Who is not there now gets it later."""
        session, other = self._need_session(), parse_user_id(user)
        if other != session.user and await session.is_unknown(other):
            raise Refusal(RefusalCode.UNKNOWN_USER, "Nobody here has this ID. Check how it is written.")
        return await session.contacts.ask(other, note)

    async def accept(self, user: str) -> ContactView:
        """Say yes to a request."""
        return await self._need_session().contacts.accept(parse_user_id(user))

    async def decline(self, user: str) -> ContactView:
        """Say no to a request."""
        return await self._need_session().contacts.decline(parse_user_id(user))

    async def remove(self, user: str) -> ContactView:
        """End a friendship, or take a request back."""
        return await self._need_session().contacts.remove(parse_user_id(user))

    async def block(self, user: str) -> ContactView:
        """Want nothing more of somebody; they are not told."""
        return await self._need_session().set_blocked(parse_user_id(user), blocked=True)

    async def unblock(self, user: str) -> ContactView:
        """Take a block back."""
        return await self._need_session().set_blocked(parse_user_id(user), blocked=False)

    async def confirm_device(self, user: str) -> ContactView:
        """Say that a friend's new device really is theirs."""
        return await self._need_session().confirm_devices(parse_user_id(user))

    async def safety_number(self, user: str) -> str:
        """Return the 12 groups of 5 digits that both people see while their devices are linked, to be compared."""
        return self._need_session().contacts.safety_number(parse_user_id(user))

    async def verify(self, user: str, safety_number: str) -> ContactView:
        """Say that the other person sees this number; raise Refusal `safety_number_mismatch` if it is not ours.

        It confirms their device too. A device of theirs that is confirmed later has to be compared again.
        """
        return await self._need_session().verify(parse_user_id(user), safety_number)

    # --- conversations -----------------------------------------------------------------------

    async def conversations(self) -> list[ConversationView]:
        """Return the conversations with friends and those with messages, the latest first."""
        service = self._need_session().conversations
        views = [service.view(each) for each in service.all()]
        shown = [view for view in views if view.can_write or view.last_entry is not None]
        return sorted(shown, key=_newest_first)

    async def open_conversation(self, user: str) -> ConversationView:
        """Return the conversation with somebody, made if need be."""
        session = self._need_session()
        other = parse_user_id(user)
        if other == session.user:
            raise Refusal(RefusalCode.YOURSELF, "That is your own ID. Enter the ID of somebody else.")
        return session.conversations.view(await session.conversations.with_user(other))

    async def send_text(
        self,
        conversation: ConversationId,
        text: str,
        reply_to: EntryId | None = None,
        mentions: Sequence[MentionView] = (),
    ) -> MessageView:
        """Write a message; it is durable when this returns, whether or not anybody is there to get it."""
        session, found = self._find(conversation)
        return await session.messages.send_text(found, text, reply_to, mentions)

    async def edit_message(self, entry: EntryId, text: str, mentions: Sequence[MentionView] = ()) -> MessageView:
        """Let a text or caption of ours read otherwise, for everybody."""
        return await self._need_session().messages.edit(entry, text, mentions)

    async def delete_message(self, entry: EntryId, *, for_all: bool = False) -> MessageView:
        """See a message no more here; `for_all`: let it leave everybody's disk, if we wrote it or manage the group.

        What is returned, of a message deleted for all, is what is left of it: its place.
        """
        return await self._need_session().messages.delete(entry, for_all=for_all)

    async def react(self, entry: EntryId, emoji: str) -> MessageView:
        """Say in one emoji what we feel about a message, in the place of what we said before; `""` takes it back."""
        return await self._need_session().messages.react(entry, emoji)

    async def typing(self, conversation: ConversationId) -> None:
        """Let those who are linked know that we are writing; call it at every key, it is told every 3 s."""
        session, found = self._find(conversation)
        session.typing.say(found)

    # --- groups ------------------------------------------------------------------------------

    async def create_group(self, name: str, members: Sequence[str]) -> ConversationView:
        """Make a group of ourselves and some friends."""
        session = self._need_session()
        group = await session.groups.create(name, [parse_user_id(user) for user in members])
        return session.conversations.view(group)

    async def group_with(self, members: Sequence[str]) -> ConversationView | None:
        """Return a group that ourselves and exactly these people are in; None if there is none."""
        session = self._need_session()
        group = session.groups.with_members(parse_user_id(user) for user in members)
        return session.conversations.view(group) if group is not None else None

    async def group(self, conversation: ConversationId) -> GroupView:
        """Return who belongs to a group."""
        session, found = self._find(conversation)
        return session.groups.view(found)

    async def add_to_group(self, conversation: ConversationId, user: str, *, from_now_on: bool = False) -> GroupView:
        """Add a friend; with `from_now_on` they are not given what was written before."""
        session, found = self._find(conversation)
        return await session.groups.add(found, parse_user_id(user), from_now_on=from_now_on)

    async def remove_from_group(self, conversation: ConversationId, user: str) -> GroupView:
        """Let somebody belong to the group no more; managers may."""
        session, found = self._find(conversation)
        return await session.groups.exclude(found, parse_user_id(user))

    async def leave_group(self, conversation: ConversationId) -> GroupView:
        """Belong to the group no more; what was written stays readable here."""
        session, found = self._find(conversation)
        return await session.groups.leave(found)

    async def rename_group(self, conversation: ConversationId, name: str) -> GroupView:
        """Give the group another name."""
        session, found = self._find(conversation)
        return await session.groups.rename(found, name)

    async def set_group_manager(self, conversation: ConversationId, user: str, *, is_manager: bool) -> GroupView:
        """Let somebody exclude others and name managers, or no more; managers may."""
        session, found = self._find(conversation)
        return await session.groups.set_manager(found, parse_user_id(user), is_manager=is_manager)

    async def confirm_member_device(self, conversation: ConversationId, user: str) -> GroupView:
        """Say that a member's new device really is theirs; managers may. It gets what is written there, and speaks."""
        session, found = self._find(conversation)
        other = parse_user_id(user)
        if other != session.user:
            session.groups.check_may_confirm(found, other)
            await session.confirm_devices(other)
        return await session.groups.confirm_devices(found, other)

    async def keep_draft(self, conversation: ConversationId, draft: str) -> None:
        """Keep what is being written, so that it is there after a crash; empty for nothing."""
        session, found = self._find(conversation)
        await session.conversations.keep_draft(found, draft)

    async def page(self, conversation: ConversationId, where: PageAt = _NEWEST, limit: int = 256) -> MessagePage:
        """Return a page of messages: the newest ones, those above, below or around one, or around the first unread."""
        session, found = self._find(conversation)
        return await session.conversations.page(found, where, limit)

    async def messages(
        self, conversation: ConversationId, *, before: EntryId | None = None, limit: int = 256
    ) -> list[MessageView]:
        """Return the newest messages, or those above one, oldest first."""
        return (await self.page(conversation, PageAt(before=before), limit)).messages

    async def messages_after(self, conversation: ConversationId, arrival: int, limit: int = 256) -> list[MessageView]:
        """Return messages in the order in which they came to be known here: how a script catches up."""
        session, found = self._find(conversation)
        return await session.conversations.arrived_after(found, arrival, limit)

    async def who_has(self, entry: EntryId) -> WhoHasView:
        """Return who has a message and who has read it, as far as it is known here.

        `MessageDelivered`, `MessageRead` and `MessageChanged` with this entry say when to ask again.
        """
        return await self._need_session().conversations.who_has(entry)

    async def mark_read(self, conversation: ConversationId, entries: Sequence[EntryId]) -> None:
        """Say that these messages were on the screen; at most 1,000."""
        session, found = self._find(conversation)
        await session.conversations.receipts.mark_read(found, entries)

    async def mark_read_up_to(self, conversation: ConversationId, entry: EntryId) -> None:
        """Say that a message, and all above it, was on the screen."""
        session, found = self._find(conversation)
        await session.conversations.receipts.mark_read_up_to(found, entry)

    async def dismiss_unread(self, conversation: ConversationId) -> None:
        """Let nothing here count as new any more. The authors are not told: it was not on the screen."""
        session, found = self._find(conversation)
        await session.conversations.receipts.dismiss_unread(found)

    # --- files ---------------------------------------------------------------------------------

    async def send_file(
        self,
        conversation: ConversationId,
        path: Path,
        caption: str = "",
        kind: MessageKind | None = None,
        *,
        duration: float = 0.0,
        waveform: bytes = b"",
    ) -> MessageView:
        """Send a file or folder: its entry is durable when this returns, whoever is there to fetch the content.

        What is large takes a while to be read: `TransferProgressed` shows it as PREPARING. `kind` defaults to a
        picture or a file, by the name; a voice message has a `duration` (s) and a `waveform` (a byte a bar).
        """
        session, found = self._find(conversation)
        return await session.attachments.send(found, Outgoing(Path(path), caption, kind, duration, waveform))

    async def fetch_file(self, entry: EntryId, path: Path | None = None) -> MessageView:
        """Have a file here, now or as soon as somebody who has it is there. `path`: a folder, or save it as."""
        return await self._need_session().attachments.fetch(entry, path)

    async def decline_file(self, entry: EntryId) -> MessageView:
        """Do not want a file; it can be fetched later all the same."""
        return await self._need_session().attachments.wanted.decline(entry)

    async def pause_file(self, entry: EntryId) -> MessageView:
        """Hold a transfer up; what has come is kept."""
        return await self._need_session().attachments.wanted.pause(entry)

    async def resume_file(self, entry: EntryId) -> MessageView:
        """Go on with a transfer that was held up or failed, from where it stood."""
        return await self._need_session().attachments.resume(entry)

    async def cancel_file(self, entry: EntryId) -> MessageView:
        """End a transfer and forget what has come; or do not send what is still being read."""
        return await self._need_session().attachments.cancel(entry)

    async def files(
        self, conversation: ConversationId, where: SharedAt = _NEWEST_SHARED, limit: int = 256
    ) -> list[MessageView]:
        """Return a page of what was ever shared in a conversation, the newest first."""
        session, found = self._find(conversation)
        return await session.attachments.files(found, where, limit)

    async def auto_fetch(self) -> int:
        """Return up to how many bytes files of friends come by themselves; 0: nothing does."""
        return self._need_session().attachments.settings.auto_fetch

    async def set_auto_fetch(self, size: int) -> None:
        """Choose that; pictures and voice messages come up to 10 MiB all the same, unless it is 0."""
        await self._need_session().attachments.settings.set_auto_fetch(size)

    async def downloads(self) -> Path:
        """Return the folder in which the files of each conversation have a folder of their own."""
        return self._need_session().attachments.settings.downloads

    async def set_downloads(self, folder: Path) -> None:
        """Put what comes from now on into another folder."""
        await self._need_session().attachments.settings.set_downloads(Path(folder))

    # --- sound ---------------------------------------------------------------------------------

    async def audio_choice(self) -> AudioChoice:
        """Return which microphone and speaker are wanted; `voice.devices` tells which are here."""
        return self._need_session().audio.choice

    async def choose_audio(self, choice: AudioChoice) -> None:
        """Use these from now on; a name that is not here is kept, and the system's choice stands in for it."""
        await self.calls.set_devices(choice.microphone, choice.speaker)

    # --- pictures ------------------------------------------------------------------------------

    async def picture(self, entry: EntryId, longest_side: int) -> CleanPicture:
        """Return a copy that may be shown of a picture that is here, of about that size in pixels or more."""
        session = self._need_session()
        path = await session.attachments.place_of(entry)
        return await session.pictures.shown(path, longest_side, key=entry.hex())

    async def shown_thumbnail(self, jpeg: bytes) -> CleanPicture:
        """Return a copy that may be shown of the thumbnail in somebody's message."""
        return await self._need_session().pictures.shown_thumbnail(jpeg)

    async def preview(self, path: Path) -> Thumbnail:
        """Return a small copy of a picture on this computer, and its size."""
        return await self._need_session().pictures.thumbnail(path)

    # --- inside ------------------------------------------------------------------------------

    async def _sign_in(self, locator: str, user: str, password: str, wishes: Wishes) -> SessionView:
        async with self._signing:
            self._need_nobody()
            self._session = await self._attempt(locator, user, password).run(wishes)
            return self._session.view()

    def _attempt(self, locator: str, user: str, password: str = "") -> SignIn:
        return SignIn(self._surroundings, self._profile, self._keeper, self._events, locator, user, password)

    def _need_nobody(self) -> None:
        if self._session is not None:
            raise Refusal(RefusalCode.ALREADY_SIGNED_IN, f"{self._session.user} is signed in here. Sign out first.")

    async def _end_session(self) -> None:
        await self.voice.close()
        await self.voice_trial.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _need_session(self) -> Session:
        if self._session is None:
            raise Refusal(RefusalCode.NOT_SIGNED_IN, "Nobody is signed in. Sign in first.")
        return self._session

    def _find(self, conversation: ConversationId) -> tuple[Session, Conversation]:
        session = self._need_session()
        found = session.conversations.get(conversation)
        if found is None:
            raise Refusal(RefusalCode.UNKNOWN_CONVERSATION, "There is no such conversation.")
        return session, found


def _newest_first(view: ConversationView) -> tuple[float, str]:
    last = view.last_entry
    return (-last.written_at.timestamp() if last else 0.0, view.title.casefold())

"""A stand-in for the node, for tests of widgets only: it holds lists, and tells events when it is asked to."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from peer import events
from peer.audio.switches import Switches
from peer.call_views import CallDevicesView, CallEnd, CallId, CallPersonView, CallState, CallView
from peer.errors import Refusal, RefusalCode
from peer.pictures.formats import PictureFormat
from peer.pictures.tasks import CleanPicture, Thumbnail
from peer.views import (
    AccountView,
    AttachmentView,
    AudioChoice,
    AudioDevices,
    CallEntryView,
    CallOutcome,
    Consent,
    ContactView,
    ConversationId,
    ConversationView,
    DeviceId,
    EntryId,
    FoundLocator,
    GroupView,
    HolderView,
    MemberHasView,
    MembershipAct,
    MembershipView,
    MemberView,
    MentionView,
    MessageKind,
    MessagePage,
    MessageState,
    MessageView,
    PageAt,
    PlaybackView,
    QuoteView,
    ReactionView,
    SecretPlace,
    SessionView,
    SharedAt,
    Tone,
    TransferState,
    UserId,
    VoiceFile,
    WhoHasView,
)

ME = UserId("li.wei")
LOCATOR = "hail://127.0.0.1:7400#" + "ab" * 32
SAFETY_NUMBER = " ".join(f"{number:05}" for number in range(10_000, 22_000, 1_000))
_NEWEST_SHARED = SharedAt()
START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def entry_id(number: int) -> EntryId:
    return EntryId(number.to_bytes(16, "big"))


def conversation_id(user: str) -> ConversationId:
    return ConversationId(hashlib.sha256(user.encode()).digest())


def make_session(**changes: Any) -> SessionView:
    view = SessionView(
        user=ME,
        name="Li Wei",
        device=DeviceId(bytes(32)),
        locator=LOCATOR,
        connected=True,
        superseded=False,
        must_sign_in=False,
        listen_port=4000,
        voice_port=4001,
        links=1,
    )
    return msgspec.structs.replace(view, **changes)


def make_contact(user: str = "alice", name: str | None = None, **changes: Any) -> ContactView:
    view = ContactView(
        user=UserId(user),
        name=name or user.title(),
        state=Consent.FRIENDS,
        note="",
        online=True,
        since=START,
        linked=True,
        verified=False,
        blocked=False,
        new_device=False,
        conversation=conversation_id(user),
        asked_at=START,
    )
    return msgspec.structs.replace(view, **changes)


def make_message(number: int, text: str | None = None, *, user: str = "alice", **changes: Any) -> MessageView:
    view = MessageView(
        entry=entry_id(number),
        conversation=conversation_id(user),
        author=UserId(user),
        author_name=user.title(),
        mine=False,
        kind=MessageKind.TEXT,
        text=f"message {number}" if text is None else text,
        written_at=START + timedelta(minutes=number),
        state=MessageState.SEEN,
        arrival=number,
    )
    if changes.get("mine"):
        changes = {"author": ME, "author_name": "Li Wei", "state": MessageState.STORED} | changes
    return msgspec.structs.replace(view, **changes)


def make_attachment(name: str = "report.pdf", **changes: Any) -> AttachmentView:
    view = AttachmentView(name=name, size=86_200_000, files=1, state=TransferState.OFFERED, done=0)
    return msgspec.structs.replace(view, **changes)


def make_file(number: int, name: str = "report.pdf", *, about: dict[str, Any] | None = None, **changes: Any):
    """Return a message with a file; `about` is what its attachment has."""
    shown = {"text": "", "kind": MessageKind.FILE, "attachment": make_attachment(name, **(about or {}))}
    return make_message(number, **(shown | changes))


def make_holder(user: str, done: int) -> HolderView:
    return HolderView(user=UserId(user), name=user.title(), done=done)


def make_quote(number: int, text: str | None = None, *, user: str = "alice", **changes: Any) -> dict[str, Any]:
    """Return what a message has that answers another one."""
    text = f"message {number}" if text is None else text
    view = QuoteView(entry_id(number), MessageKind.TEXT, UserId(user), user.title(), text)
    return {"reply_to": entry_id(number), "quoted": msgspec.structs.replace(view, **changes)}


def make_membership(number: int, act: MembershipAct, user: str, whom: str = "", **about: Any) -> MessageView:
    """Return the line that says what `user` did to a group, and to whom."""
    happened = MembershipView(act, UserId(whom or user), (whom or user).title(), **about)
    return make_message(number, "", user=user, kind=MessageKind.MEMBERSHIP, membership=happened, mine=user == ME)


def make_call(
    number: int,
    outcome: CallOutcome,
    *people: str,
    user: str = "alice",
    seconds: int = 0,
    is_missed: bool = False,
    **changes: Any,
) -> MessageView:
    """Return the line that says how a call ended that `user` had begun."""
    names = tuple(person.title() for person in people)
    call = CallEntryView(CallId(bytes(16)), outcome, seconds, is_missed, tuple(map(UserId, people)), names)
    shown = {"user": user, "kind": MessageKind.CALL, "call": call, "mine": user == ME}
    return make_message(number, f"{user} called.", **(shown | changes))


def make_reaction(emoji: str, *users: str) -> ReactionView:
    names = tuple("Li Wei" if user == ME else user.title() for user in users)
    return ReactionView(emoji, tuple(map(UserId, users)), names, mine=ME in users)


def make_conversation(user: str = "alice", title: str | None = None, **changes: Any) -> ConversationView:
    view = ConversationView(
        conversation=conversation_id(user),
        title=title or user.title(),
        user=UserId(user),
        members=(ME, UserId(user)),
        unread=0,
        last_entry=None,
        online=True,
        can_write=True,
    )
    return msgspec.structs.replace(view, **changes)


class ScriptedVoice:
    """A microphone and a speaker that do what a test tells them."""

    def __init__(self, node: "ScriptedNode") -> None:
        self._node = node
        self.file: VoiceFile | None = None
        """What was recorded."""
        self.here = AudioDevices((), (), "", "")

    async def devices(self) -> AudioDevices:
        await self._node._asked("devices")
        return self.here

    async def play_tone(self, tone: Tone = Tone.TEST) -> PlaybackView:
        await self._node._asked("play_tone", tone)
        return PlaybackView("", 0.0, 1.2, 1.0)

    async def stop_tone(self) -> None:
        await self._node._asked("stop_tone")

    async def play(self, path: str, at: float = 0.0, speed: float = 1.0) -> PlaybackView:
        await self._node._asked("play", path, at, speed)
        return PlaybackView(path, at, 14.0, speed)

    async def stop_playing(self) -> None:
        await self._node._asked("stop_playing")

    async def start_recording(self) -> None:
        await self._node._asked("start_recording")

    async def finish_recording(self) -> VoiceFile:
        await self._node._asked("finish_recording")
        assert self.file is not None
        return self.file

    async def cancel_recording(self) -> None:
        await self._node._asked("cancel_recording")

    async def discard(self, path: str) -> None:
        await self._node._asked("discard", path)


def make_member(user: str, **changes: Any) -> MemberView:
    view = MemberView(user=UserId(user), name=user.title(), manager=False, online=user in {"alice", ME})
    return msgspec.structs.replace(view, **changes)


def make_group(title: str, *members: str | MemberView, **changes: Any) -> tuple[ConversationView, GroupView]:
    """Return a group of ourselves, its manager, and others: its row of the list, and who is in it."""
    everybody = (
        make_member(ME, name="Li Wei", manager=True),
        *(make_member(each) if isinstance(each, str) else each for each in members),
    )
    users = tuple(member.user for member in everybody)
    about = {"conversation": conversation_id(title), "title": title, "user": None, "members": users}
    view = msgspec.structs.replace(make_conversation(), **(about | changes))
    return view, GroupView(view.conversation, title, ME, everybody)


def call_id(number: int) -> CallId:
    return CallId(number.to_bytes(16, "big"))


def make_caller(user: str = "alice", **changes: Any) -> CallPersonView:
    """Return somebody who talks in a call."""
    view = CallPersonView(
        user=UserId(user), name=user.title(), state=CallState.ACTIVE, path="udp", delay_ms=38.0, quality=4
    )
    return msgspec.structs.replace(view, **changes)


def make_call_view(
    state: CallState = CallState.ACTIVE, user: str = "alice", *, number: int = 1, **changes: Any
) -> CallView:
    """Return a call with one other; with `people` and `is_group` one of a group called `user`."""
    is_heard = state is CallState.ACTIVE
    view = CallView(
        call=call_id(number),
        conversation=conversation_id(user),
        with_=UserId(user),
        title=user.title(),
        is_group=False,
        is_incoming=False,
        state=state,
        reason=None,
        message="",
        rang_at=datetime.now(UTC),
        started_at=datetime.now(UTC) if is_heard else None,
        people=(make_caller(user) if is_heard else make_caller(user, state=state, path="", delay_ms=None, quality=0),),
    )
    return msgspec.structs.replace(view, **changes)


class ScriptedTrial:
    """Somebody tries how they sound; what comes of it, a test tells."""

    def __init__(self, node: "ScriptedNode") -> None:
        self._node = node
        self.lacks = ""
        """Why echo and noise cannot be removed here."""

    async def missing(self) -> str:
        return self.lacks

    async def speak(self) -> None:
        await self._node._asked("speak")

    async def hear(self) -> None:
        await self._node._asked("hear")

    async def stop(self) -> None:
        await self._node._asked("stop_trial")


class ScriptedCalls:
    """Calls that go as a test tells them; what a click does to them is told by events, as the node does."""

    def __init__(self, node: "ScriptedNode") -> None:
        self._node = node
        self.here: tuple[CallView, ...] = ()
        self.next: CallView = make_call_view(CallState.CALLING)
        """What starting a call returns."""
        self.gate: asyncio.Event | None = None
        """Until then the list of calls is on its way."""
        self.goes_on = False
        """Whether a call of a group goes on without us."""
        self.switches = Switches()
        self.devices_here = CallDevicesView(AudioChoice(), AudioDevices((), (), "", ""))

    async def current(self) -> tuple[CallView, ...]:
        here = self.here
        await self._node._asked("current")
        if self.gate is not None:
            await self.gate.wait()
        return here

    async def start(self, conversation: ConversationId) -> CallView:
        await self._node._asked("start", conversation)
        return self._changed(self.next.call)

    async def answer(self, call: CallId) -> CallView:
        await self._node._asked("answer", call)
        return self._changed(call, state=CallState.CONNECTING)

    async def decline(self, call: CallId) -> CallView:
        await self._node._asked("decline", call)
        return self._changed(call, state=CallState.ENDED, reason=CallEnd.DECLINED)

    async def hang_up(self, call: CallId) -> CallView:
        await self._node._asked("hang_up", call)
        if self.goes_on:
            return self._changed(call, state=CallState.AVAILABLE)
        return self._changed(call, state=CallState.ENDED, reason=CallEnd.HUNG_UP)

    async def mute(self, call: CallId, muted: bool) -> CallView:
        await self._node._asked("mute", call, muted)
        return self._changed(call, is_muted=muted)

    async def set_volume(self, call: CallId, user: str, volume: float) -> CallView:
        await self._node._asked("set_volume", call, user, volume)
        return self._changed(call)

    async def devices(self) -> CallDevicesView:
        await self._node._asked("call_devices")
        return self.devices_here

    async def processing(self) -> Switches:
        return self.switches

    async def set_processing(self, echo: bool, noise: bool, gain: bool) -> None:
        await self._node._asked("set_processing", echo, noise, gain)
        self.switches = Switches(echo, noise, gain)

    async def set_devices(self, microphone: str, speaker: str) -> None:
        await self._node._asked("set_devices", microphone, speaker)
        self.devices_here = msgspec.structs.replace(self.devices_here, chosen=AudioChoice(microphone, speaker))

    def tell(self, event: type[events.Event], call: CallView) -> None:
        """Let something happen to a call. Callable from any thread."""
        self.next = call
        self._node.tell(event(call))

    def _changed(self, call: CallId, **changes: Any) -> CallView:
        """Return the call that was told last, as it is from now on."""
        assert self.next.call == call
        self.next = msgspec.structs.replace(self.next, **changes)
        event = events.CallEnded if self.next.state is CallState.ENDED else events.CallChanged
        self._node._tell((event(self.next),))
        return self.next


class ScriptedNode:
    """Answers from lists; `refusals` names the methods that refuse, `questions` what was asked of it."""

    def __init__(self) -> None:
        self.questions: list[tuple[Any, ...]] = []
        self.refusals: dict[str, Refusal | Exception] = {}
        self.voice = ScriptedVoice(self)
        self.voice_trial = ScriptedTrial(self)
        self.calls = ScriptedCalls(self)
        self.audio = AudioChoice()
        self.auto_fetched = 1024 * 1024
        self.fetched: dict[EntryId, MessageView] = {}
        """What a file is like once somebody asked for it; otherwise it is on its way."""
        self.pictures: dict[EntryId, CleanPicture] = {}
        """As the picture worker would return them."""
        self.refused_files: dict[str, Refusal] = {}
        """Files of these names cannot be sent."""
        self.people: list[ContactView] = []
        self.talks: list[ConversationView] = []
        self.groups: dict[ConversationId, GroupView] = {}
        self.history: dict[ConversationId, list[MessageView]] = {}
        self.holders: dict[EntryId, tuple[MemberHasView, ...]] = {}
        """Who has a message and who has read it."""
        self.account: AccountView | None = None
        self.gate: asyncio.Event | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.closed = False
        self.stay_signed_in: bool | None = None
        self.stays: SessionView | None = None
        self.here: SessionView | None = None
        self.secret_place_here = SecretPlace.KEYRING
        self.former: tuple[str | None, bool] = (None, False)
        self.locators: tuple[FoundLocator, ...] = ()
        self.searches = 0
        self._is_searching = False
        self._network_changed = asyncio.Event()
        self._subscribers: list[Callable[[events.Event], None]] = []

    def subscribe(self, subscriber: Callable[[events.Event], None]) -> Callable[[], None]:
        self.loop = asyncio.get_running_loop()
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def last_account(self) -> AccountView | None:
        return self.account

    def tell(self, *told: events.Event) -> None:
        """Announce events from the network thread, as the node does. Callable from any thread."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._tell, told)

    def _tell(self, told: tuple[events.Event, ...]) -> None:
        for event in told:
            for subscriber in self._subscribers:
                subscriber(event)

    async def close(self) -> None:
        self.closed = True

    async def find_locators(self) -> None:
        self.searches += 1
        self._is_searching = True
        self._network_changed.set()

    async def found_locators(self, seen: tuple[FoundLocator, ...] = ()) -> tuple[FoundLocator, ...] | None:
        while self._is_searching and self.locators == seen:
            self._network_changed.clear()
            await self._network_changed.wait()
        return self.locators if self._is_searching else None

    async def stop_finding_locators(self) -> None:
        self._is_searching = False
        self._network_changed.set()

    def announce(self, *locators: FoundLocator) -> None:
        """Let these be on the network, and no others. Callable from any thread."""
        self.locators = locators
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._network_changed.set)

    async def register(
        self, locator: str, user: str, password: str, name: str, *, stay_signed_in: bool = False
    ) -> SessionView:
        self.stay_signed_in = stay_signed_in
        await self._asked("register", locator, user, password, name)
        return make_session(user=UserId(user), name=name)

    async def session(self) -> SessionView | None:
        return self.here

    async def sign_in_again(self) -> SessionView | None:
        await self._asked("sign_in_again")
        return self.stays

    async def secret_place(self) -> SecretPlace:
        return self.secret_place_here

    async def log_in(
        self,
        locator: str,
        user: str,
        password: str,
        *,
        stay_signed_in: bool = False,
        old_password: str | None = None,
        set_old_aside: bool = False,
    ) -> SessionView:
        self.stay_signed_in = stay_signed_in
        self.former = (old_password, set_old_aside)
        await self._asked("log_in", locator, user, password)
        return make_session(user=UserId(user))

    async def log_out(self) -> None:
        await self._asked("log_out")

    async def resume(self) -> SessionView:
        await self._asked("resume")
        return make_session()

    async def contacts(self) -> list[ContactView]:
        await self._asked("contacts")
        return list(self.people)

    async def conversations(self) -> list[ConversationView]:
        await self._asked("conversations")
        return list(self.talks)

    def keep_group(self, view: ConversationView, group: GroupView) -> None:
        """Have a group among the conversations."""
        self.talks = [talk for talk in self.talks if talk.conversation != view.conversation] + [view]
        self.groups[view.conversation] = group

    async def group_with(self, members: list[str]) -> ConversationView | None:
        await self._asked("group_with", members)
        return next((talk for talk in self.talks if talk.user is None and set(talk.members) == {ME, *members}), None)

    async def create_group(self, name: str, members: list[str]) -> ConversationView:
        await self._asked("create_group", name, members)
        view, group = make_group(name, *members)
        self.keep_group(view, group)
        self._tell((events.GroupChanged(group), events.ConversationChanged(view)))
        return view

    async def group(self, conversation: ConversationId) -> GroupView:
        await self._asked("group", conversation)
        return self.groups[conversation]

    async def add_to_group(self, conversation: ConversationId, user: str, *, from_now_on: bool = False) -> GroupView:
        await self._asked("add_to_group", conversation, user, from_now_on)
        return self._change_group(conversation, members=(*self.groups[conversation].members, make_member(user)))

    async def remove_from_group(self, conversation: ConversationId, user: str) -> GroupView:
        await self._asked("remove_from_group", conversation, user)
        return self._without(conversation, user)

    async def leave_group(self, conversation: ConversationId) -> GroupView:
        await self._asked("leave_group", conversation)
        return self._without(conversation, ME)

    async def rename_group(self, conversation: ConversationId, name: str) -> GroupView:
        await self._asked("rename_group", conversation, name)
        return self._change_group(conversation, name=name)

    async def set_group_manager(self, conversation: ConversationId, user: str, *, is_manager: bool) -> GroupView:
        await self._asked("set_group_manager", conversation, user, is_manager)
        members = tuple(
            msgspec.structs.replace(each, manager=is_manager) if each.user == user else each
            for each in self.groups[conversation].members
        )
        return self._change_group(conversation, members=members)

    async def confirm_member_device(self, conversation: ConversationId, user: str) -> GroupView:
        await self._asked("confirm_member_device", conversation, user)
        members = tuple(
            msgspec.structs.replace(each, new_device=False, waiting_device=False) if each.user == user else each
            for each in self.groups[conversation].members
        )
        return self._change_group(conversation, members=members)

    def _without(self, conversation: ConversationId, user: str) -> GroupView:
        members = tuple(each for each in self.groups[conversation].members if each.user != user)
        return self._change_group(conversation, members=members)

    def _change_group(self, conversation: ConversationId, **changes: Any) -> GroupView:
        """Bring the group and its row up to date, and tell both."""
        group = msgspec.structs.replace(self.groups[conversation], **changes)
        users = tuple(member.user for member in group.members)
        known = next(talk for talk in self.talks if talk.conversation == conversation)
        view = msgspec.structs.replace(known, title=group.name, members=users, can_write=ME in users)
        self.keep_group(view, group)
        self._tell((events.GroupChanged(group), events.ConversationChanged(view)))
        return group

    async def ask(self, user: str, note: str = "") -> ContactView:
        await self._asked("ask", user, note)
        return make_contact(user, state=Consent.ASKED_BY_ME, note=note, online=False)

    def __getattr__(self, name: str) -> Callable[[str], Coroutine[Any, Any, ContactView]]:
        after = {
            "accept": {"state": Consent.FRIENDS},
            "decline": {"state": Consent.DECLINED},
            "remove": {"state": Consent.REMOVED},
            "block": {"blocked": True},
            "unblock": {"blocked": False},
            "confirm_device": {"new_device": False},
        }
        if name not in after:
            raise AttributeError(name)

        async def act(user: str) -> ContactView:
            await self._asked(name, user)
            known = next((each for each in self.people if each.user == user), make_contact(user))
            return msgspec.structs.replace(known, **after[name])

        return act

    async def page(self, conversation: ConversationId, where: PageAt, limit: int) -> MessagePage:
        await self._asked("page", conversation, where)
        kept = sorted(self.history.get(conversation, []), key=lambda message: message.place)
        entries = [message.entry for message in kept]
        unread = next((row for row, each in enumerate(kept) if each.state is MessageState.ARRIVED), None)
        if where.before is not None:
            end = entries.index(where.before)
            start = max(0, end - limit)
        elif where.after is not None:
            start = entries.index(where.after) + 1
            end = min(len(kept), start + limit)
        elif where.around is not None:
            if where.around not in entries:
                raise refuse(RefusalCode.UNKNOWN_ENTRY)
            start = max(0, entries.index(where.around) - limit // 2)
            end = min(len(kept), start + limit)
        elif where.at_unread and unread is not None:
            start = max(0, unread - limit // 4)
            end = min(len(kept), start + limit)
        else:
            start, end = max(0, len(kept) - limit), len(kept)
        return MessagePage(kept[start:end], has_older=start > 0, has_newer=end < len(kept))

    async def send_text(
        self,
        conversation: ConversationId,
        text: str,
        reply_to: EntryId | None = None,
        mentions: Sequence[MentionView] = (),
    ) -> MessageView:
        more = (reply_to, tuple(mentions)) if reply_to is not None or mentions else ()
        await self._asked("send_text", conversation, text, *more)
        number = 1_000_000 + len(self.questions)
        about = {"mine": True, "conversation": conversation, "written_at": datetime.now(UTC)}
        message = make_message(number, text, reply_to=reply_to, mentions=tuple(mentions), **about)
        self.history.setdefault(conversation, []).append(message)
        self._tell((events.MessageWritten(message),))
        return message

    async def edit_message(self, entry: EntryId, text: str, mentions: Sequence[MentionView] = ()) -> MessageView:
        await self._asked("edit_message", entry, text)
        return self._change_message(entry, text=text, mentions=tuple(mentions), edited_at=datetime.now(UTC))

    async def delete_message(self, entry: EntryId, *, for_all: bool = False) -> MessageView:
        await self._asked("delete_message", entry, for_all)
        if for_all:
            return self._change_message(entry, text="", kind=MessageKind.DELETED, attachment=None, deleted_by=ME)
        message = self._message(entry)
        self.history[message.conversation].remove(message)
        self._tell((events.MessageHidden(message),))
        return message

    async def react(self, entry: EntryId, emoji: str) -> MessageView:
        await self._asked("react", entry, emoji)
        others = [
            msgspec.structs.replace(
                each, users=tuple(u for u in each.users if u != ME), names=each.names[: len(each.users) - each.mine]
            )
            for each in self._message(entry).reactions
        ]
        mine = [ReactionView(emoji, (ME,), ("Li Wei",), mine=True)] if emoji else []
        return self._change_message(entry, reactions=(*(each for each in others if each.users), *mine))

    async def who_has(self, entry: EntryId) -> WhoHasView:
        await self._asked("who_has", entry)
        message = self._message(entry)
        return WhoHasView(entry, message.conversation, self.holders.get(entry, ()))

    async def typing(self, conversation: ConversationId) -> None:
        await self._asked("typing", conversation)

    def _message(self, entry: EntryId) -> MessageView:
        return next(each for kept in self.history.values() for each in kept if each.entry == entry)

    def _change_message(self, entry: EntryId, **changes: Any) -> MessageView:
        """Bring a message up to date, and tell it."""
        message = self._message(entry)
        kept = self.history[message.conversation]
        changed = kept[kept.index(message)] = msgspec.structs.replace(message, **changes)
        self._tell((events.MessageChanged(changed),))
        return changed

    async def mark_read(self, conversation: ConversationId, entries: list[EntryId]) -> None:
        await self._asked("mark_read", conversation, entries)

    async def dismiss_unread(self, conversation: ConversationId) -> None:
        await self._asked("dismiss_unread", conversation)

    async def keep_draft(self, conversation: ConversationId, draft: str) -> None:
        await self._asked("keep_draft", conversation, draft)
        known = next(talk for talk in self.talks if talk.conversation == conversation)
        changed = msgspec.structs.replace(known, draft=draft)
        self.talks = [changed if talk is known else talk for talk in self.talks]
        self._tell((events.ConversationChanged(changed),))

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
        if kind is MessageKind.VOICE:
            await self._asked("send_voice", conversation, path, duration, waveform)
            number = 1_000_000 + len(self.questions)
            return make_file(number, path.name, kind=kind, mine=True, conversation=conversation)
        await self._asked("send_file", conversation, path, caption)
        self._refuse_by_name(path.name)
        number = 1_000_000 + len(self.questions)
        about = {"state": TransferState.HERE, "size": path.stat().st_size, "path": str(path)}
        message = make_file(number, path.name, about=about, mine=True, text=caption, conversation=conversation)
        self._tell((events.MessageWritten(message),))
        return message

    def _refuse_by_name(self, name: str) -> None:
        if name in self.refused_files:
            raise self.refused_files[name]

    async def fetch_file(self, entry: EntryId, path: Path | None = None) -> MessageView:
        await self._asked("fetch_file", entry, path)
        return self.fetched.get(entry) or make_message(1)

    async def auto_fetch(self) -> int:
        return self.auto_fetched

    async def set_auto_fetch(self, size: int) -> None:
        await self._asked("set_auto_fetch", size)
        self.auto_fetched = size

    async def downloads(self) -> Path:
        return Path("/home/li.wei/Downloads/Hail/li.wei")

    async def set_downloads(self, folder: Path) -> None:
        await self._asked("set_downloads", folder)

    async def audio_choice(self) -> AudioChoice:
        return self.audio

    async def choose_audio(self, choice: AudioChoice) -> None:
        await self._asked("choose_audio", choice)
        self.audio = choice

    async def files(
        self, conversation: ConversationId, where: SharedAt = _NEWEST_SHARED, limit: int = 256
    ) -> list[MessageView]:
        await self._asked("files", conversation, where, limit)
        kept = sorted(self.history.get(conversation, []), key=lambda message: message.place, reverse=True)
        kept = [message for message in kept if message.attachment is not None]
        kept = [message for message in kept if not where.kinds or message.kind in where.kinds]
        kept = [message for message in kept if where.words.casefold() in message.attachment.name.casefold()]
        entries = [message.entry for message in kept]
        if where.after is not None:
            end = entries.index(where.after)
            return kept[max(0, end - limit) : end]
        start = 0 if where.before is None else entries.index(where.before) + 1
        return kept[start : start + limit]

    async def picture(self, entry: EntryId, longest_side: int) -> CleanPicture:
        await self._asked("picture", entry, longest_side)
        return self.pictures[entry]

    async def shown_thumbnail(self, jpeg: bytes) -> CleanPicture:
        await self._asked("shown_thumbnail", jpeg)
        return CleanPicture(jpeg, PictureFormat.JPEG, 0, 0)

    async def preview(self, path: Path) -> Thumbnail:
        await self._asked("preview", path)
        return Thumbnail(path.read_bytes(), 0, 0)

    async def decline_file(self, entry: EntryId) -> None:
        await self._asked("decline_file", entry)

    async def pause_file(self, entry: EntryId) -> None:
        await self._asked("pause_file", entry)

    async def resume_file(self, entry: EntryId) -> None:
        await self._asked("resume_file", entry)

    async def cancel_file(self, entry: EntryId) -> None:
        await self._asked("cancel_file", entry)

    async def safety_number(self, user: str) -> str:
        await self._asked("safety_number", user)
        return SAFETY_NUMBER

    async def verify(self, user: str, safety_number: str) -> ContactView:
        await self._asked("verify", user, safety_number)
        known = next(each for each in self.people if each.user == user)
        return msgspec.structs.replace(known, verified=True)

    async def change_password(self, old: str, new: str) -> None:
        await self._asked("change_password", old, new)

    async def _asked(self, name: str, *what: Any) -> None:
        self.questions.append((name, *what))
        if self.gate is not None:
            await self.gate.wait()
        refusal = self.refusals.get(name)
        if refusal is not None:
            raise refusal

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        """Return what a method was called with."""
        return [call[1:] for call in list(self.questions) if call[0] == name]


def refuse(code: RefusalCode, message: str = "") -> Refusal:
    return Refusal(code, message or f"The node says {code}.")

"""Groups: made, joined, left and renamed by entries that everybody in them holds; nobody's server knows of them."""

from collections.abc import Callable, Iterable, Sequence

from peer.entries.conversation import Conversation
from peer.entries.intake import Ground
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import GroupChanged
from peer.services.contacts import Contacts
from peer.services.conversations import Conversations
from peer.views import GroupView, MemberView
from protocol import limits
from protocol.consent import Consent
from protocol.entries import Body
from protocol.group_bodies import (
    Added,
    Created,
    DeviceConfirmed,
    Excluded,
    Left,
    ManagerChanged,
    NewMember,
    Renamed,
)
from protocol.identity import DeviceId, EntryId, UserId, clean_display_name
from protocol.membership import Membership

MakeAct = Callable[[Ground, Membership, EntryId, bytes], Body]


class Groups:
    """What a person can do about groups. Raises Refusal; then nothing was written."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        events: EventStream,
        *,
        me: UserId,
        my_devices: Callable[[], Iterable[DeviceId]],
    ) -> None:
        """`my_devices` are those that may speak for us in groups we make."""
        self._conversations = conversations
        self._contacts = contacts
        self._events = events
        self._me = me
        self._my_devices = my_devices

    async def create(self, name: str, users: Sequence[UserId]) -> Conversation:
        """Make a group of ourselves and some friends."""
        name = _clean_name(name)
        others = [self._new_member(user) for user in dict.fromkeys(users) if user != self._me]
        if not others:
            raise Refusal(RefusalCode.BAD_REQUEST, "A group needs somebody besides you. Choose a friend.")
        if len(others) >= limits.GROUP_MEMBERS:
            raise Refusal(RefusalCode.TOO_MANY, f"A group has at most {limits.GROUP_MEMBERS} members.")
        myself = NewMember(self._me, self._contacts.name_of(self._me), tuple(self._my_devices()))
        return await self._conversations.create_group(
            lambda _, entry, salt: Created(entry, salt, (), name, (myself, *others))
        )

    async def add(self, group: Conversation, user: UserId, *, from_now_on: bool = False) -> GroupView:
        """Add a friend; with `from_now_on` they are not given what was written before."""
        member = self._new_member(user)

        def make(ground: Ground, now: Membership, entry: EntryId, salt: bytes) -> Body:
            if user in now.members:
                raise Refusal(RefusalCode.ALREADY_MEMBER, f"{member.name} is in this group already.")
            if len(now.members) >= limits.GROUP_MEMBERS:
                raise Refusal(RefusalCode.TOO_MANY, f"A group has at most {limits.GROUP_MEMBERS} members.")
            return Added(entry, salt, ground.seen(), member, from_now_on)

        return await self._say(group, make)

    async def exclude(self, group: Conversation, user: UserId) -> GroupView:
        """Let somebody belong to the group no more; of their words counts what is held here."""

        def make(ground: Ground, now: Membership, entry: EntryId, salt: bytes) -> Body:
            self._check_manager(now)
            if user not in now.members:
                raise Refusal(RefusalCode.NOT_A_MEMBER, "They are not in this group.")
            if user == self._me:
                raise Refusal(RefusalCode.YOURSELF, "To go yourself, leave the group.")
            seen = ground.seen()
            theirs = tuple(each for each in seen if each.feed.device in now.members[user])
            return Excluded(entry, salt, seen, user, theirs)

        return await self._say(group, make)

    async def leave(self, group: Conversation) -> GroupView:
        """Belong to the group no more. What was written stays readable here."""
        return await self._say(group, lambda ground, _, entry, salt: Left(entry, salt, ground.seen()))

    async def rename(self, group: Conversation, name: str) -> GroupView:
        """Give the group another name."""
        name = _clean_name(name)
        return await self._say(group, lambda ground, _, entry, salt: Renamed(entry, salt, ground.seen(), name))

    async def set_manager(self, group: Conversation, user: UserId, *, is_manager: bool) -> GroupView:
        """Let somebody exclude others and name managers, or no more."""

        def make(ground: Ground, now: Membership, entry: EntryId, salt: bytes) -> Body:
            self._check_manager(now)
            if user not in now.members:
                raise Refusal(RefusalCode.NOT_A_MEMBER, "They are not in this group.")
            if user == self._me:
                raise Refusal(RefusalCode.YOURSELF, "Another manager can take this from you, not you yourself.")
            return ManagerChanged(entry, salt, ground.seen(), user, is_manager)

        return await self._say(group, make)

    async def confirm_devices(self, group: Conversation, user: UserId) -> GroupView:
        """A person said that the devices of a member that are known here really are theirs: let them speak and hear."""
        self.check_may_confirm(group, user)
        for device in await self._devices_of(user):

            def make(ground: Ground, now: Membership, entry: EntryId, salt: bytes, device: DeviceId = device) -> Body:
                self._check_may_confirm(now, user)
                if len(now.members[user]) >= limits.DEVICES_PER_USER:
                    raise Refusal(RefusalCode.TOO_MANY, f"A member has at most {limits.DEVICES_PER_USER} devices.")
                return DeviceConfirmed(entry, salt, ground.seen(), user, device)

            if group.group is not None and device not in group.group.members.get(user, ()):
                await self._say(group, make)
        return self.view(group)

    def check_may_confirm(self, group: Conversation, user: UserId) -> None:
        """Raise Refusal unless it is ours to say which devices are a member's."""
        self.view(group)  # refuses what is no group
        assert group.group is not None
        self._check_may_confirm(group.group, user)

    def _check_may_confirm(self, now: Membership, user: UserId) -> None:
        if user not in now.members:
            raise Refusal(RefusalCode.NOT_A_MEMBER, "They are not in this group.")
        if not now.may_confirm(self._me, user):
            raise Refusal(RefusalCode.NOT_A_MANAGER, "Only managers of the group can do that.")

    async def vouch_for(self, user: UserId) -> None:
        """A person said that somebody's devices really are theirs: say so in every group where it is ours to say."""
        for group in self._conversations.ours():
            if group.group is not None and user in group.group.members and group.group.may_confirm(self._me, user):
                await self.confirm_devices(group, user)

    async def _devices_of(self, user: UserId) -> tuple[DeviceId, ...]:
        if user == self._me:
            return await self._contacts.own_devices()
        return self._contacts.confirmed_devices(user)

    def _member_view(self, conversation: Conversation, group: Membership, user: UserId) -> MemberView:
        is_waiting = user != self._me and not self._contacts.valid_devices(user) <= group.members[user]
        return MemberView(
            user=user,
            name=self._conversations.name_in(conversation, user),
            manager=user in group.managers,
            online=user == self._me or self._contacts.is_online(user),
            new_device=is_waiting and group.may_confirm(self._me, user),
            waiting_device=is_waiting,
        )

    def view(self, conversation: Conversation) -> GroupView:
        """Return who belongs to a group."""
        group = conversation.group
        if group is None:
            raise Refusal(RefusalCode.NOT_A_GROUP, "That is a conversation of two, no group.")
        return GroupView(
            conversation=conversation.id,
            name=group.name,
            creator=group.creator or self._me,
            members=tuple(self._member_view(conversation, group, user) for user in group.members),
        )

    def with_members(self, users: Iterable[UserId]) -> Conversation | None:
        """Return a group of ours that has exactly these members, we among them."""
        wanted = {*users, self._me}
        groups = (each for each in self._conversations.all() if each.group is not None)
        return next((each for each in groups if set(each.members) == wanted), None)

    def tell(self, conversation: Conversation) -> None:
        """Tell the screen that a group changed."""
        self._events.tell(GroupChanged(self.view(conversation)))

    async def _say(self, group: Conversation, make: MakeAct) -> GroupView:
        def make_body(ground: Ground, entry: EntryId, salt: bytes) -> Body:
            now = ground.membership()
            if self._me not in now.members:
                raise Refusal(RefusalCode.NOT_A_MEMBER, "You are not in this group any more.")
            return make(ground, now, entry, salt)

        self.view(group)  # refuses what is no group
        await self._conversations.write(group, make_body)
        return self.view(group)

    def _check_manager(self, group: Membership) -> None:
        if self._me not in group.managers:
            raise Refusal(RefusalCode.NOT_A_MANAGER, "Only managers of the group can do that.")

    def _new_member(self, user: UserId) -> NewMember:
        """Return a friend as a new member, with the devices that we know to be theirs."""
        if self._conversations.standing_with(user).state is not Consent.FRIENDS or self._contacts.is_blocked(user):
            raise Refusal(RefusalCode.NOT_A_FRIEND, f"{user} is no friend of yours. Only friends can be added.")
        devices = self._contacts.confirmed_devices(user)
        if not devices:
            raise Refusal(
                RefusalCode.NO_DEVICE, f"You have not been online together with {user} yet. Add them after that."
            )
        return NewMember(user, self._contacts.name_of(user), devices)


def _clean_name(name: str) -> str:
    try:
        return clean_display_name(name)
    except ValueError:
        raise Refusal(RefusalCode.BAD_NAME, "A group's name has 1 to 64 visible characters.") from None

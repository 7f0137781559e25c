"""What the methods of the rpc take, by name; anything else is refused as wrong parameters."""

from typing import Annotated

import msgspec

from peer.call_views import CallId
from peer.views import ConversationId, EntryId, MentionView, MessageKind

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]  # 0: chosen here


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """Parameters by name. This one: none."""


class SignInParameters(Parameters):
    """For `session.login`."""

    locator: str
    user: str
    password: str
    listen_port: Port = 0
    voice_port: Port = 0
    stay_signed_in: bool | None = None
    old_password: str | None = None
    set_old_aside: bool = False


class RegisterParameters(Parameters):
    """For `session.register`."""

    locator: str
    user: str
    password: str
    name: str = ""
    listen_port: Port = 0
    voice_port: Port = 0
    stay_signed_in: bool | None = None


class PasswordParameters(Parameters):
    """For `session.change_password`."""

    old: str
    new: str


class UsersParameters(Parameters):
    """For `where`."""

    users: list[str]


class UserParameters(Parameters):
    """For everything about one person."""

    user: str


class AskParameters(Parameters):
    """For `contacts.ask`."""

    user: str
    note: str = ""


class VerifyParameters(UserParameters):
    """For `contacts.verify`."""

    safety_number: str | None = None


class SendParameters(Parameters):
    """For `messages.send`."""

    conversation: ConversationId
    text: str
    reply_to: EntryId | None = None
    mentions: list[MentionView] = []


class EditParameters(Parameters):
    """For `messages.edit`."""

    entry: EntryId
    text: str
    mentions: list[MentionView] = []


class DeleteParameters(Parameters):
    """For `messages.delete`: on this device only, unless it is `for_all`."""

    entry: EntryId
    for_all: bool = False


class ReactParameters(Parameters):
    """For `messages.react`: `emoji` is empty to take it back."""

    entry: EntryId
    emoji: str


class CreateGroupParameters(Parameters):
    """For `groups.create`."""

    name: str
    members: list[str]


class ConversationParameters(Parameters):
    """For what needs nothing but the conversation."""

    conversation: ConversationId


class AddMemberParameters(Parameters):
    """For `groups.add`."""

    conversation: ConversationId
    user: str
    from_now_on: bool = False


class MemberParameters(Parameters):
    """For `groups.remove` and `groups.confirm_device`."""

    conversation: ConversationId
    user: str


class ManagerParameters(Parameters):
    """For `groups.managers`."""

    conversation: ConversationId
    user: str
    manager: bool = True


class RenameParameters(Parameters):
    """For `groups.rename`."""

    conversation: ConversationId
    name: str


class ListParameters(Parameters):
    """For `messages.list`: a page before an entry, or what came to be known after a place."""

    conversation: ConversationId
    before: EntryId | None = None
    after: int | None = None
    limit: int = 256


class WhoHasParameters(Parameters):
    """For `messages.who_has`."""

    entry: EntryId


class GroupWithParameters(Parameters):
    """For `groups.with`: everybody but oneself."""

    members: list[str]


class ReadParameters(Parameters):
    """For `messages.read`."""

    conversation: ConversationId
    entry: EntryId


class SendFileParameters(Parameters):
    """For `files.send`."""

    conversation: ConversationId
    path: str
    caption: str = ""
    kind: MessageKind | None = None


class FileParameters(Parameters):
    """For everything about one attachment."""

    entry: EntryId


class FetchParameters(FileParameters):
    """For `files.fetch`: `path` is a folder, or what to save it as."""

    path: str | None = None


class ListFilesParameters(Parameters):
    """For `files.list`: the newest first."""

    conversation: ConversationId
    before: EntryId | None = None
    limit: int = 256


class FolderParameters(Parameters):
    """For `files.folder`: where files land; without a path only tells it."""

    path: str | None = None


class AutoFetchParameters(Parameters):
    """For `files.auto_fetch`: up to which size files come by themselves; without a size only tells it."""

    size: Annotated[int, msgspec.Meta(ge=0, le=2**40)] | None = None


class CallParameters(Parameters):
    """For everything about one call."""

    call: CallId


class MuteParameters(CallParameters):
    """For `calls.mute`."""

    muted: bool = True


class ProcessingParameters(Parameters):
    """For `calls.processing`: what is not given stays."""

    echo: bool | None = None
    noise: bool | None = None
    gain: bool | None = None


class DevicesParameters(Parameters):
    """For `calls.devices`: what is not given stays."""

    input: str | None = None
    output: str | None = None

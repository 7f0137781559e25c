"""JSON-RPC 2.0, one object a line: which method calls what, with which parameters."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from peer.call_views import CallId
from peer.command_line.parameters import (
    AddMemberParameters,
    AskParameters,
    AutoFetchParameters,
    CallParameters,
    ConversationParameters,
    CreateGroupParameters,
    DeleteParameters,
    DevicesParameters,
    EditParameters,
    FetchParameters,
    FileParameters,
    FolderParameters,
    GroupWithParameters,
    ListFilesParameters,
    ListParameters,
    ManagerParameters,
    MemberParameters,
    MuteParameters,
    Parameters,
    PasswordParameters,
    ProcessingParameters,
    ReactParameters,
    ReadParameters,
    RegisterParameters,
    RenameParameters,
    SendFileParameters,
    SendParameters,
    SignInParameters,
    UserParameters,
    UsersParameters,
    VerifyParameters,
    WhoHasParameters,
)
from peer.errors import Refusal, RefusalCode
from peer.events import (
    CallChanged,
    CallEnded,
    CallLevels,
    CallRinging,
    CallStarted,
    Connected,
    ContactAccepted,
    ContactAsked,
    ContactChanged,
    ConversationChanged,
    Disconnected,
    Event,
    GroupChanged,
    MessageArrived,
    MessageChanged,
    MessageDelivered,
    MessageHidden,
    MessageRead,
    MessageWritten,
    PlaybackChanged,
    PresenceChanged,
    RecordingChanged,
    SendingWithdrawn,
    Superseded,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    Typing,
    VoiceTried,
    Warned,
)
from peer.node import PeerNode
from peer.views import ConversationId, EntryId, MessageView, SharedAt, UserId

log = logging.getLogger(__name__)

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, REFUSED = -32700, -32600, -32601, -32602, -32000
Json = Any  # what JSON can hold; narrowed by the structs in `parameters`


P = TypeVar("P", bound=Parameters)


class Method(NamedTuple, Generic[P]):
    """One verb of the rpc."""

    parameters: type[P]
    call: Callable[[PeerNode, P], Awaitable[object]]


async def _list_messages(node: PeerNode, p: ListParameters) -> object:
    if p.after is not None:
        return await node.messages_after(p.conversation, p.after, p.limit)
    return await node.messages(p.conversation, before=p.before, limit=p.limit)


async def _verify(node: PeerNode, p: VerifyParameters) -> object:
    if p.safety_number is not None:
        return await node.verify(p.user, p.safety_number)
    number = await node.safety_number(p.user)
    return msgspec.structs.asdict(await node.contact(p.user)) | {"safety_number": number}


async def _fetch(node: PeerNode, p: FetchParameters) -> object:
    return transfer(await node.fetch_file(p.entry, Path(p.path) if p.path else None))


async def _list_files(node: PeerNode, p: ListFilesParameters) -> object:
    return [transfer(message) for message in await node.files(p.conversation, SharedAt(before=p.before), p.limit)]


async def _files_folder(node: PeerNode, p: FolderParameters) -> object:
    if p.path is not None:
        await node.set_downloads(Path(p.path))
    return {"path": str(await node.downloads())}


async def _auto_fetch(node: PeerNode, p: AutoFetchParameters) -> object:
    if p.size is not None:
        await node.set_auto_fetch(p.size)
    return {"size": await node.auto_fetch()}


async def _call_devices(node: PeerNode, p: DevicesParameters) -> object:
    if p.input is not None or p.output is not None:
        chosen = await node.audio_choice()
        await node.calls.set_devices(
            chosen.microphone if p.input is None else p.input, chosen.speaker if p.output is None else p.output
        )
    return await node.calls.devices()


async def _call_processing(node: PeerNode, p: ProcessingParameters) -> object:
    was = await node.calls.processing()
    given = {name: on for name in ("echo", "noise", "gain") if (on := getattr(p, name)) is not None}
    if given:
        wanted = replace(was, **given)
        await node.calls.set_processing(wanted.echo, wanted.noise, wanted.gain)
    return await node.calls.processing()


def _transferring(change: "Callable[[PeerNode, EntryId], Awaitable[MessageView]]") -> Method[FileParameters]:
    async def call(node: PeerNode, p: FileParameters) -> object:
        return transfer(await change(node, p.entry))

    return Method(FileParameters, call)


def transfer(message: MessageView) -> dict[str, object]:
    """Return an attachment as `files.list` and the transfer events tell of it."""
    view = message.attachment
    assert view is not None
    return {
        "entry": message.entry,
        "conversation": message.conversation,
        "author": message.author,
        "kind": message.kind,
        "received": not message.mine,
        "written_at": message.written_at,
    } | {name: getattr(view, name) for name in view.__struct_fields__ if name not in {"thumbnail", "waveform"}}


METHODS: dict[str, Method[Any]] = {
    "session.register": Method(
        RegisterParameters,
        lambda n, p: n.register(
            p.locator, p.user, p.password, p.name, p.listen_port, p.voice_port, stay_signed_in=p.stay_signed_in
        ),
    ),
    "session.login": Method(
        SignInParameters,
        lambda n, p: n.log_in(
            p.locator,
            p.user,
            p.password,
            p.listen_port,
            p.voice_port,
            stay_signed_in=p.stay_signed_in,
            old_password=p.old_password,
            set_old_aside=p.set_old_aside,
        ),
    ),
    "session.login_again": Method(Parameters, lambda n, _: n.sign_in_again()),
    "session.logout": Method(Parameters, lambda n, _: n.log_out()),
    "session.status": Method(Parameters, lambda n, _: n.session()),
    "session.resume": Method(Parameters, lambda n, _: n.resume()),
    "session.change_password": Method(PasswordParameters, lambda n, p: n.change_password(p.old, p.new)),
    "where": Method(UsersParameters, lambda n, p: n.where(p.users)),
    "contacts.ask": Method(AskParameters, lambda n, p: n.ask(p.user, p.note)),
    "contacts.accept": Method(UserParameters, lambda n, p: n.accept(p.user)),
    "contacts.decline": Method(UserParameters, lambda n, p: n.decline(p.user)),
    "contacts.block": Method(UserParameters, lambda n, p: n.block(p.user)),
    "contacts.unblock": Method(UserParameters, lambda n, p: n.unblock(p.user)),
    "contacts.remove": Method(UserParameters, lambda n, p: n.remove(p.user)),
    "contacts.confirm_device": Method(UserParameters, lambda n, p: n.confirm_device(p.user)),
    "contacts.verify": Method(VerifyParameters, _verify),
    "contacts.list": Method(Parameters, lambda n, _: n.contacts()),
    "conversations.list": Method(Parameters, lambda n, _: n.conversations()),
    "conversations.open": Method(UserParameters, lambda n, p: n.open_conversation(p.user)),
    "groups.create": Method(CreateGroupParameters, lambda n, p: n.create_group(p.name, p.members)),
    "groups.with": Method(GroupWithParameters, lambda n, p: n.group_with(p.members)),
    "groups.members": Method(ConversationParameters, lambda n, p: n.group(p.conversation)),
    "groups.add": Method(
        AddMemberParameters, lambda n, p: n.add_to_group(p.conversation, p.user, from_now_on=p.from_now_on)
    ),
    "groups.remove": Method(MemberParameters, lambda n, p: n.remove_from_group(p.conversation, p.user)),
    "groups.confirm_device": Method(MemberParameters, lambda n, p: n.confirm_member_device(p.conversation, p.user)),
    "groups.leave": Method(ConversationParameters, lambda n, p: n.leave_group(p.conversation)),
    "groups.rename": Method(RenameParameters, lambda n, p: n.rename_group(p.conversation, p.name)),
    "groups.managers": Method(
        ManagerParameters, lambda n, p: n.set_group_manager(p.conversation, p.user, is_manager=p.manager)
    ),
    "messages.send": Method(SendParameters, lambda n, p: n.send_text(p.conversation, p.text, p.reply_to, p.mentions)),
    "messages.edit": Method(EditParameters, lambda n, p: n.edit_message(p.entry, p.text, p.mentions)),
    "messages.delete": Method(DeleteParameters, lambda n, p: n.delete_message(p.entry, for_all=p.for_all)),
    "messages.react": Method(ReactParameters, lambda n, p: n.react(p.entry, p.emoji)),
    "messages.typing": Method(ConversationParameters, lambda n, p: n.typing(p.conversation)),
    "messages.list": Method(ListParameters, _list_messages),
    "messages.who_has": Method(WhoHasParameters, lambda n, p: n.who_has(p.entry)),
    "messages.read": Method(ReadParameters, lambda n, p: n.mark_read_up_to(p.conversation, p.entry)),
    "files.send": Method(SendFileParameters, lambda n, p: n.send_file(p.conversation, Path(p.path), p.caption, p.kind)),
    "files.fetch": Method(FetchParameters, _fetch),
    "files.decline": _transferring(PeerNode.decline_file),
    "files.pause": _transferring(PeerNode.pause_file),
    "files.resume": _transferring(PeerNode.resume_file),
    "files.cancel": _transferring(PeerNode.cancel_file),
    "files.list": Method(ListFilesParameters, _list_files),
    "files.folder": Method(FolderParameters, _files_folder),
    "files.auto_fetch": Method(AutoFetchParameters, _auto_fetch),
    "calls.start": Method(ConversationParameters, lambda n, p: n.calls.start(p.conversation)),
    "calls.answer": Method(CallParameters, lambda n, p: n.calls.answer(p.call)),
    "calls.decline": Method(CallParameters, lambda n, p: n.calls.decline(p.call)),
    "calls.hang_up": Method(CallParameters, lambda n, p: n.calls.hang_up(p.call)),
    "calls.mute": Method(MuteParameters, lambda n, p: n.calls.mute(p.call, p.muted)),
    "calls.list": Method(Parameters, lambda n, _: n.calls.current()),
    "calls.devices": Method(DevicesParameters, _call_devices),
    "calls.processing": Method(ProcessingParameters, _call_processing),
    "calls.statistics": Method(CallParameters, lambda n, p: n.calls.statistics(p.call)),
}

# Under which noun an event carries its view.
NOUNS: dict[type[Event], str] = {
    Connected: "session",
    Disconnected: "session",
    Superseded: "session",
    PresenceChanged: "presence",
    ContactAsked: "contact",
    ContactAccepted: "contact",
    ContactChanged: "contact",
    ConversationChanged: "conversation",
    GroupChanged: "group",
    MessageWritten: "message",
    MessageArrived: "message",
    MessageChanged: "message",
    MessageHidden: "message",
    MessageDelivered: "message",
    MessageRead: "message",
    Typing: "typing",
    TransferProgressed: "transfer",
    TransferFinished: "transfer",
    TransferFailed: "transfer",
    SendingWithdrawn: "transfer",
    RecordingChanged: "recording",
    PlaybackChanged: "playback",
    VoiceTried: "trial",
    CallRinging: "call",
    CallStarted: "call",
    CallChanged: "call",
    CallEnded: "call",
    CallLevels: "levels",
    Warned: "warning",
}


class Request(msgspec.Struct):
    """One line from the caller."""

    method: str
    jsonrpc: str = "2.0"
    id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")


def _to_json(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _from_json(wanted: type, value: Json) -> object:
    if issubclass(wanted, ConversationId | EntryId | CallId) and isinstance(value, str):
        return wanted.from_hex(value)
    if issubclass(wanted, UserId) and isinstance(value, str):
        return wanted(value)
    raise ValueError(f"expected {wanted.__name__}")


_ENCODER = msgspec.json.Encoder(enc_hook=_to_json)


async def answer(node: PeerNode, line: bytes, methods: Mapping[str, Method[Any]] = METHODS) -> bytes | None:
    """Do what one line asks, and return the line to answer with; None where no answer is wanted."""
    try:
        request = msgspec.json.decode(line, type=Request)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        is_json = isinstance(error, msgspec.ValidationError)
        return _error(None, INVALID_REQUEST if is_json else PARSE_ERROR, f"Not a JSON-RPC request: {error}")
    identifier = None if request.id is msgspec.UNSET else request.id
    reply = await _call(node, request, identifier, methods)
    return None if request.id is msgspec.UNSET else reply


async def _call(
    node: PeerNode, request: Request, identifier: int | str | None, methods: Mapping[str, Method[Any]]
) -> bytes:
    method = methods.get(request.method)
    if method is None:
        return _error(identifier, METHOD_NOT_FOUND, f"There is no method {request.method!r}. See hail-cli rpc --help.")
    try:
        parameters = msgspec.json.decode(request.params or b"{}", type=method.parameters, dec_hook=_from_json)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return _error(identifier, INVALID_PARAMS, f"Wrong parameters for {request.method}: {error}")
    try:
        result = await method.call(node, parameters)
    except Refusal as refusal:
        return _error(identifier, REFUSED, refusal.message, refusal.code, refusal.retry_after)
    except Exception:
        log.exception("%s failed", request.method)
        return _error(identifier, REFUSED, "That failed for a reason nobody foresaw; see the log.", RefusalCode.REFUSED)
    return _ENCODER.encode({"jsonrpc": "2.0", "id": identifier, "result": result})


def notification(event: Event) -> bytes:
    """Return the line that tells of an event."""
    params: dict[str, object] = {"type": event.type}
    noun = NOUNS[type(event)]
    if isinstance(event, Warned):
        params["warning"] = {"code": event.code, "message": event.message}
    elif isinstance(event, PresenceChanged):
        params["presence"] = event.contact
    elif isinstance(event, TransferProgressed | TransferFinished | TransferFailed | SendingWithdrawn):
        params[noun] = transfer(event.message)
    else:
        params[noun] = getattr(event, noun)
    if isinstance(event, Disconnected):
        params |= {"code": event.code, "reason": event.reason}
    return _ENCODER.encode({"jsonrpc": "2.0", "method": "event", "params": params})


def overlong() -> bytes:
    """Return the answer to a line that is longer than any request."""
    return _error(None, INVALID_REQUEST, "That line is too long for a request.", RefusalCode.TOO_LARGE)


def _error(
    identifier: int | str | None,
    number: int,
    message: str,
    code: RefusalCode = RefusalCode.BAD_REQUEST,
    retry: float = 0,
) -> bytes:
    data: dict[str, object] = {"code": code}
    if retry:
        data["retry_after"] = retry
    return _ENCODER.encode(
        {"jsonrpc": "2.0", "id": identifier, "error": {"code": number, "message": message, "data": data}}
    )

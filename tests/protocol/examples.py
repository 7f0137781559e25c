"""One fixed example of everything that travels, for the golden vectors. All of it comes from fixed seeds.

For a new message, add an example to `MESSAGES` and run `python -m tests.protocol.write_vectors`.
"""

from protocol.act_bodies import Deleted, Edited, Reacted
from protocol.call_bodies import Called
from protocol.call_messages import (
    CallAnswer,
    CallLeg,
    CallOffer,
    CallOver,
    CallOverHeard,
    CallPeople,
    CallPerson,
    CallRings,
    CallStatus,
)
from protocol.certificates import realm_of
from protocol.device_lists import DeviceList, sign_device_list
from protocol.entries import (
    BODIES,
    Accepted,
    Asked,
    Attachment,
    Body,
    Declined,
    Entry,
    Mention,
    Removed,
    Text,
    WireEntry,
    write_entry,
)
from protocol.file_messages import Coming, NotServed, WantPieces, WantTable
from protocol.group_bodies import (
    Added,
    Created,
    DeviceConfirmed,
    Excluded,
    Left,
    ManagerChanged,
    NewMember,
    Renamed,
    Seen,
)
from protocol.identity import NO_HASH, CallId, ConversationId, EntryHash, EntryId, FeedId, UserId
from protocol.link_messages import (
    LINK,
    Buckets,
    ConversationDigest,
    Digests,
    Entries,
    Equivocation,
    ForkPoint,
    ForkPoints,
    Goodbye,
    Greeting,
    Keep,
    Lines,
    Pieces,
    Ping,
    Pong,
    ReadLine,
    Reads,
    SignedHeader,
    Statements,
    Typing,
    VectorLine,
    WhatPieces,
)
from protocol.locator_messages import (
    LOCATOR,
    ChangePassword,
    Done,
    Endpoint,
    KeepAlive,
    Locators,
    LoggedIn,
    LogIn,
    LogInByKey,
    LogOut,
    Moved,
    PasswordChanged,
    Refused,
    Register,
    Superseded,
    Unwatch,
    Watch,
    Welcome,
    Where,
    Whereabout,
    Whereabouts,
    login_challenge,
)
from protocol.manifests import FileLine, PieceTable, encode_table, new_hasher, root_of
from protocol.registry import Message, Registry
from protocol.replication import ALL_BUCKETS, digest_of
from protocol.safety_numbers import safety_number
from protocol.signatures import Purpose
from protocol.statements import HeldLine, Statement, short_hash, short_name, sign_statement
from tests.protocol.strategies import encode_struct
from tests.protocol.vector_files import ANN_KEY, AUTHORITY, BOB_KEY, CERTIFICATES, read_vector, seeded

# Certificates hold a random serial number: they were made once, and are kept.
AUTHORITY_DER, LOCATOR_DER, ANN_DER = (
    read_vector(CERTIFICATES / f"{name}.hex") for name in ("authority", "locator", "ann")
)
REALM = realm_of(AUTHORITY_DER)
ANN, BOB = UserId("ann"), UserId("bob")
STAMP = 1_767_225_600_000
"""The first moment of 2026."""

# --- a conversation ---------------------------------------------------------------------------

CONVERSATION = ConversationId.of_two(REALM, ANN, BOB)
FEED = FeedId.of(ANN_KEY.device, seeded("incarnation", 16))
BOBS_FEED = FeedId.of(BOB_KEY.device, seeded("bob's incarnation", 16))


def _name(text: str) -> tuple[EntryId, bytes]:
    return EntryId(seeded(f"entry {text}", 16)), seeded(f"salt {text}", 16)


def _entry(body: Body, number: int, previous: EntryHash) -> Entry:
    return write_entry(
        ANN_KEY,
        REALM,
        body,
        conversation=CONVERSATION,
        feed=FEED,
        number=number,
        previous=previous,
        stamp=STAMP + number,
        certificate=ANN_DER,
    )


ASKED = Asked(*_name("asked"), 1, "Ann", "We met at the fair.")
TEXT = Text(*_name("text"), "Hail, 王小明! 👋", reply_to=ASKED.entry_id)
WITH_MENTION = Text(*_name("with mention"), "👋 @Bob", None, (Mention(BOB, 2, 4),))
EDITED = Edited(*_name("edited"), TEXT.entry_id, 3, "Hail, @Bob!", (Mention(BOB, 6, 4),))
REACTED = Reacted(*_name("reacted"), TEXT.entry_id, 1, "❤️")
CALLED = Called(*_name("called"), CallId(seeded("call", 16)), "answered", 754, (BOB,), (UserId("chen"),))
FIRST = _entry(ASKED, 1, NO_HASH)
SECOND = _entry(TEXT, 2, FIRST.hash)
OTHER_SECOND = _entry(Text(*_name("other text"), "Another second entry."), 2, FIRST.hash)
WITHOUT_BODY = WireEntry(SECOND.wire.header, SECOND.wire.signature, None)
LINE = VectorLine(FEED, 1, 2, SECOND.hash)
BOBS_LINE = VectorLine(BOBS_FEED, 1, 300, EntryHash(seeded("bob's head", 32)), closed=True, lacking=((7, 9), (12, 12)))
DIGEST = digest_of((LINE, BOBS_LINE))

STATEMENT = Statement(
    CONVERSATION,
    ANN_KEY.public,
    STAMP,
    (HeldLine(short_name(BOBS_FEED), 300, short_hash(BOBS_LINE.head_hash), ((7, 9), (12, 12)), ((1, 6),)),),
)
SIGNED_STATEMENT = sign_statement(ANN_KEY, REALM, STATEMENT)

CALL = CallId(seeded("call", 16))
ANNS_LEG = CallLeg(0x0A11CE, seeded("ann's voice key", 44), 7501, ("192.0.2.1", "2001:db8::1"))
BOBS_LEG = CallLeg(0xB0B, seeded("bob's voice key", 44), 7502, ())

# --- a group ------------------------------------------------------------------------------------

SEEN = (Seen(BOBS_FEED, 300, BOBS_LINE.head_hash),)
ANN_AS_MEMBER = NewMember(ANN, "Ann", (ANN_KEY.device,))
BOB_AS_MEMBER = NewMember(BOB, "Bob", (BOB_KEY.device,))
GROUP_BODIES: tuple[Body, ...] = (
    Created(*_name("created"), (), "Lab 3", (ANN_AS_MEMBER, BOB_AS_MEMBER)),
    Added(*_name("added"), SEEN, NewMember(UserId("chen"), "陈", (ANN_KEY.device,)), from_now_on=True),
    Excluded(*_name("excluded"), (), BOB, SEEN),
    Left(*_name("left"), SEEN),
    Renamed(*_name("renamed"), SEEN, "实验三"),
    ManagerChanged(*_name("manager changed"), SEEN, BOB, is_manager=True),
    DeviceConfirmed(*_name("device confirmed"), SEEN, BOB, BOB_KEY.device),
)

# --- a folder of two files ---------------------------------------------------------------------


def _hash(content: bytes) -> bytes:
    hasher = new_hasher()
    hasher.update(content)
    return hasher.digest()


CONTENT = b"x" * (262_144 + 3)
TABLE = PieceTable(
    262_144,
    _hash(CONTENT[:262_144]) + _hash(CONTENT[262_144:]),
    (FileLine("slides.pdf", 262_146), FileLine("notes/第一.txt", 1)),
)
ATTACHMENT = Attachment(
    *_name("attachment"),
    "file",
    "Lecture 1",
    len(CONTENT),
    2,
    root_of(encode_table(TABLE)),
    len(encode_table(TABLE)),
    caption="For tomorrow.",
)

# --- at the locator ---------------------------------------------------------------------------

ENDPOINT = Endpoint(40_001, 40_002, ("192.0.2.7", "2001:db8::7"))
NONCE = seeded("nonce", 32)
DEVICES = DeviceList(ANN, 3, (ANN_KEY.device, BOB_KEY.device))
SIGNED_DEVICES = sign_device_list(AUTHORITY, REALM, DEVICES)
LOGIN_SIGNATURE = ANN_KEY.sign(Purpose.LOGIN, REALM, login_challenge(NONCE, LOCATOR_DER, ANN))
ABOUT_ANN = Whereabout(
    ANN,
    online=True,
    addresses=("192.0.2.7",),
    listen_port=40_001,
    voice_port=40_002,
    device_list=SIGNED_DEVICES,
    since=STAMP,
    known=True,
)
NOBODY = Whereabout(UserId("nobody"), online=False)

LOCATOR_MESSAGES: tuple[Message, ...] = (
    Welcome(AUTHORITY_DER, NONCE, registration_open=True),
    Register(1, ANN, "correct horse", "Ann", ANN_KEY.public, ENDPOINT),
    LogIn(2, ANN, "correct horse", ANN_KEY.public, ENDPOINT),
    LogInByKey(3, ANN, ANN_KEY.public, LOGIN_SIGNATURE, 17, renew_certificate=True, endpoint=ENDPOINT),
    LoggedIn(3, ANN, "Ann", 17, ANN_DER, SIGNED_DEVICES, 30.0, "192.0.2.7", must_change_password=True),
    LogOut(4),
    Where(5, (ANN, NOBODY.user)),
    Watch(6, (BOB,)),
    Unwatch(7, (BOB,)),
    KeepAlive(8),
    Done(8),
    Refused(2, "rate_limited", "Try again in 3 s.", 3.0),
    Whereabouts(5, (ABOUT_ANN, NOBODY)),
    Moved(ABOUT_ANN),
    Superseded(18),
    ChangePassword(9, "correct horse", "battery staple"),
    PasswordChanged(9, SIGNED_DEVICES),
    Locators(("chat.example:7400", "192.0.2.8:7400", "[2001:db8::8]:7400")),
)

LINK_MESSAGES: tuple[Message, ...] = (
    Greeting(1, "hail 0.1.0"),
    Keep(),
    Ping(),
    Pong(),
    Goodbye("duplicate"),
    Digests((ConversationDigest(CONVERSATION, DIGEST.root),)),
    Buckets(CONVERSATION, DIGEST.buckets),
    Lines(CONVERSATION, ALL_BUCKETS, (LINE, BOBS_LINE), answer=True),
    Entries(CONVERSATION, (FIRST.wire, WITHOUT_BODY)),
    Reads(CONVERSATION, (ReadLine(FEED, ((1, 1), (3, 8))),)),
    ForkPoints(CONVERSATION, FEED, (ForkPoint(2, SECOND.hash), ForkPoint(1, FIRST.hash))),
    Equivocation(
        CONVERSATION,
        SignedHeader(SECOND.wire.header, SECOND.wire.signature),
        SignedHeader(OTHER_SECOND.wire.header, OTHER_SECOND.wire.signature),
    ),
    WhatPieces(CONVERSATION, (ATTACHMENT.entry_id, TEXT.entry_id)),
    Pieces(CONVERSATION, ATTACHMENT.entry_id, b"\x02"),
    Typing(CONVERSATION),
    Statements((SIGNED_STATEMENT,)),
    CallOffer(CALL, CONVERSATION, ANNS_LEG, rings=True, rung_ms=12_000),
    CallRings(CALL),
    CallAnswer(CALL, BOBS_LEG),
    CallStatus(
        CALL, is_muted=True, has_microphone=True, has_speaker=False, port=BOBS_LEG.port, addresses=("192.0.2.2",)
    ),
    CallPeople(CALL, CONVERSATION, (CallPerson(ANN, ANN_KEY.device), CallPerson(BOB, BOB_KEY.device))),
    CallOver(CALL, "hung_up"),
    CallOverHeard(CALL),
)

FILE_MESSAGES: tuple[Message, ...] = (
    WantTable(CONVERSATION, ATTACHMENT.entry_id),
    WantPieces(CONVERSATION, ATTACHMENT.entry_id, 0, 2),
    Coming(262_147),
    NotServed("file_changed"),
)

ENTRY_BODIES: tuple[Message, ...] = (
    ASKED,
    Accepted(*_name("accepted"), 1, "Bob"),
    Declined(*_name("declined"), 1),
    Removed(*_name("removed"), 2),
    TEXT,
    ATTACHMENT,
    EDITED,
    Deleted(*_name("deleted"), TEXT.entry_id, Seen(FEED, 2, SECOND.hash), (SEEN[0],)),
    REACTED,
    CALLED,
    *GROUP_BODIES,
)

MESSAGES: dict[type[Message], Message] = {
    type(message): message for message in (*LOCATOR_MESSAGES, *LINK_MESSAGES, *FILE_MESSAGES, *ENTRY_BODIES)
}

EARLIER: dict[str, tuple[Registry, Message]] = {
    "0x0105_LoggedIn_of_8_fields": (LOCATOR, LoggedIn(3, ANN, "Ann", 17, ANN_DER, SIGNED_DEVICES, 30.0, "192.0.2.7")),
}
"""What the bytes of before a field was added are read as."""

VALUES: dict[str, bytes] = {
    "realm": REALM,
    "conversation_of_ann_and_bob": CONVERSATION,
    "login_challenge": login_challenge(NONCE, LOCATOR_DER, ANN),
    "DeviceList": encode_struct(DEVICES),
    "SignedDeviceList": encode_struct(SIGNED_DEVICES),
    "Header": FIRST.wire.header,
    "header_hash": FIRST.hash,
    "WireEntry": encode_struct(FIRST.wire),
    "WireEntry_without_body": encode_struct(WITHOUT_BODY),
    "Text_with_mention": BODIES.encode_body(WITH_MENTION),
    "CallAnswer_to_an_offer": LINK.encode_body(CallAnswer(CALL, BOBS_LEG, ANNS_LEG.ssrc)),
    "CallOver_of_a_leg": LINK.encode_body(CallOver(CALL, "lost", ANNS_LEG.ssrc)),
    "VectorLine": encode_struct(BOBS_LINE),
    "Statement": encode_struct(STATEMENT),
    "PieceTable": encode_table(TABLE),
    "piece_table_root": ATTACHMENT.root,
    "digest_buckets": DIGEST.buckets,
    "digest_root": DIGEST.root,
    "digest_root_of_nothing": digest_of(()).root,
    "safety_number": safety_number(REALM, (ANN, [ANN_KEY.public]), (BOB, [BOB_KEY.public])).encode(),
}
"""What is hashed or signed, and what messages are made of."""


def encode_example(registry: Registry, cls: type[Message]) -> bytes:
    """Return the bytes of a message's vector: a whole frame; of an entry's body the body alone."""
    message = MESSAGES[cls]
    return registry.encode_body(message) if registry is BODIES else registry.encode(message)

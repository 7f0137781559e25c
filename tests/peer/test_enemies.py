"""Hostile neighbours: each is refused alone, with a logged reason, and nothing else suffers."""

import asyncio
import ssl
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from peer import limits as node_limits
from peer.links.link import Link
from protocol import limits
from protocol.certificates import Role, create_authority_certificate, issue_certificate, to_pem
from protocol.entries import Text, write_entry
from protocol.framing import FrameReader, encode_frame
from protocol.identity import NO_HASH, ConversationId, EntryHash, EntryId, FeedId, UserId
from protocol.link_messages import (
    ALPN,
    LINK,
    MAGIC,
    Buckets,
    ConversationDigest,
    Digests,
    Entries,
    Equivocation,
    Goodbye,
    Greeting,
    Keep,
    Lines,
    Ping,
    SignedHeader,
)
from protocol.registry import Message
from protocol.replication import ALL_BUCKETS
from protocol.signatures import SigningKey
from tests.harness.memory_wire import MemoryWire
from tests.harness.world import Person, World


@dataclass
class Enemy(asyncio.Protocol):
    """A program of somebody else's making, with whatever certificate it got hold of."""

    key: SigningKey
    certificate: bytes
    heard: list[Message] = field(default_factory=list)
    is_closed: bool = False

    def __post_init__(self) -> None:
        self._reader = FrameReader(limits.LINK_FRAME)
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        for frame in self._reader.receive(data):
            message = LINK.decode(frame)
            assert message is not None
            self.heard.append(message)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.transport.write(LINK.encode(message))

    def was_told(self, kind: type[Message]) -> bool:
        return any(isinstance(message, kind) for message in self.heard)


class Enemies:
    """Makes enemies of a world, certified by its own authority or by another one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._authority = world.server._authority

    def certified(self, user: str, seed: bytes = b"e" * 32, role: Role = Role.USER) -> Enemy:
        """Return somebody whom the locator's owner gave a certificate in a user's name."""
        key = SigningKey(seed)
        name = UserId(user) if role is Role.USER else None
        now = self._world.people["ana"].clock()
        authority = self._authority
        certificate = issue_certificate(authority._key, authority.der, key.public, role, name, now)
        return Enemy(key, certificate)

    def foreign(self, user: str) -> Enemy:
        """Return somebody certified by an authority of their own."""
        authority, key = SigningKey(b"f" * 32), SigningKey(b"g" * 32)
        now = self._world.people["ana"].clock()
        der = create_authority_certificate(authority, now)
        return Enemy(key, issue_certificate(authority, der, key.public, Role.USER, UserId(user), now))

    async def connect(self, enemy: Enemy, victim: Person, *, alpn: str = ALPN, clear: bytes = MAGIC) -> Enemy:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([alpn])
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "enemy.pem"
            pem.write_bytes(enemy.key.pem(None) + to_pem(enemy.certificate).encode())
            context.load_cert_chain(pem)
        session = await victim.node.session()
        assert session is not None
        wire = self._world.network.wire("10.0.0.66")
        host = self._world.host(victim.name)
        return await wire.dial(host, session.listen_port, lambda: enemy, context, clear)

    async def linked(self, enemy: Enemy, victim: Person) -> Enemy:
        """Connect and get through the greeting, as far as the victim lets it."""
        await self.connect(enemy, victim)
        enemy.say(Greeting(1, "enemy"))
        await asyncio.sleep(1)
        session = await victim.node.session()
        assert session is not None
        if enemy.key.device < session.device:
            enemy.say(Keep())
        await asyncio.sleep(1)
        return enemy


async def _talk_goes_on(world: World, ana: Person, bo: Person, conversation: ConversationId) -> None:
    await ana.node.send_text(conversation, "still here")
    await world.until(lambda: any(e.message.text == "still here" for e in bo.told("message_arrived")))


async def _is_refused(world: World, enemy: Enemy) -> None:
    await world.until(lambda: enemy.is_closed, seconds=30)
    assert not enemy.was_told(Digests), "nothing of ours was shown"


@pytest.mark.parametrize("who", ["locator", "foreign", "ana herself", "not on bo's list"])
async def test_a_certificate_that_does_not_fit_gets_no_link(world: World, expected_log: list[str], who: str) -> None:
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    expected_log += ["link.*refused", "EOF", "TLSV13|certificate"]
    enemy = {
        "locator": lambda: enemies.certified("x", role=Role.LOCATOR),
        "foreign": lambda: enemies.foreign("bo"),
        "ana herself": lambda: enemies.certified("ana"),
        "not on bo's list": lambda: enemies.certified("bo"),
    }[who]()
    try:
        await enemies.linked(enemy, ana)
    except (OSError, AttributeError):
        enemy.is_closed = True  # refused in the handshake
    await _is_refused(world, enemy)
    await _talk_goes_on(world, ana, bo, conversation)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\xff" * 64,
        struct.pack(">IH", limits.LINK_FRAME + 1, 0x0201),
        struct.pack(">IH", 5, 0x0201) + b"\xc1\xc1\xc1\xc1\xc1",
        encode_frame(0x0201, b"\x91" * 5000)[: limits.GREETING_FRAME],
        encode_frame(0x0777, b"\x90"),
        LINK.encode(Greeting(1, "x")) + encode_frame(0x0208, b"\x93\x01\x02\x03"),
        LINK.encode(Greeting(1, "x")) + LINK.encode(Greeting(1, "x")),
    ],
    ids=["garbage", "oversized", "no MessagePack", "deep", "unknown kind", "wrong fields", "greets twice"],
)
async def test_bad_frames_cost_their_own_link_only(world: World, expected_log: list[str], bytes_sent: bytes) -> None:
    expected_log.append("refused")
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.connect(enemies.certified("eve"), ana)
    enemy.transport.write(bytes_sent)
    await world.until(lambda: enemy.is_closed, seconds=30)
    await _talk_goes_on(world, ana, bo, conversation)


async def test_a_truncated_frame_and_then_silence_is_dropped_in_time(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.connect(enemies.certified("eve"), ana)
    enemy.transport.write(LINK.encode(Greeting(1, "x"))[:5])
    await world.until(lambda: enemy.is_closed, seconds=limits.GREETING_SECONDS + 2)
    await _talk_goes_on(world, ana, bo, conversation)


@pytest.mark.parametrize("clear", [b"GET ", b"HF9\n", b"HL"])
async def test_other_languages_on_the_port_are_hung_up_on(world: World, clear: bytes) -> None:
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    with pytest.raises((OSError, TimeoutError)):
        async with asyncio.timeout(30):
            await enemies.connect(enemies.certified("eve"), ana, clear=clear)
    await _talk_goes_on(world, ana, bo, conversation)


async def test_another_tls_language_is_refused(world: World, expected_log: list[str]) -> None:
    expected_log.append("refused")
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.connect(enemies.certified("eve"), ana, alpn="hail-locator/1")
    await _is_refused(world, enemy)
    await _talk_goes_on(world, ana, bo, conversation)


async def test_a_stranger_sees_and_leaves_nothing_but_may_ask(world: World, expected_log: list[str]) -> None:
    expected_log.append("refused|not taken")
    ana, _, conversation = await world.linked_peers()
    await ana.node.send_text(conversation, "a secret")
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("eve"), ana)
    enemy.say(Lines(conversation, ALL_BUCKETS, (), answer=True))
    realm = ana.node._session.realm  # type: ignore[union-attr]
    with_ana = ConversationId.of_two(realm, UserId("ana"), UserId("eve"))
    feed = FeedId.of(enemy.key.device, b"i" * 16)
    text = write_entry(
        enemy.key,
        realm,
        Text(EntryId(b"t" * 16), b"s" * 16, "buy this"),
        conversation=with_ana,
        feed=feed,
        number=1,
        previous=NO_HASH,
        stamp=1,
        certificate=enemy.certificate,
    )
    enemy.say(Entries(with_ana, (text.wire,)))
    await asyncio.sleep(5)
    assert not enemy.was_told(Entries), "nothing was given away"
    assert not any(isinstance(m, Lines) and m.lines for m in enemy.heard)
    assert [c.user for c in await ana.node.conversations()] == ["bo"]
    assert [c.user for c in await ana.node.contacts()] == ["bo"]


async def test_entries_in_a_friends_name_are_refused(world: World, expected_log: list[str]) -> None:
    """Even with a certificate from the locator's owner, in Bo's name and on Bo's list, a new device waits."""
    expected_log += ["refused", "never seen"]
    ana, bo, conversation = await world.linked_peers()
    contacts = ana.node._session.contacts  # type: ignore[union-attr]
    contacts._lists.clear()  # the locator's owner can sign any list, too
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("bo"), ana)
    realm = ana.node._session.realm  # type: ignore[union-attr]
    forged = write_entry(
        enemy.key,
        realm,
        Text(EntryId(b"t" * 16), b"s" * 16, "send me your homework"),
        conversation=conversation,
        feed=FeedId.of(enemy.key.device, b"i" * 16),
        number=1,
        previous=NO_HASH,
        stamp=1,
        certificate=enemy.certificate,
    )
    enemy.say(Entries(conversation, (forged.wire,)), Lines(conversation, ALL_BUCKETS, (), answer=True))
    await asyncio.sleep(35)
    assert await ana.texts(conversation) == []
    assert not enemy.was_told(Digests)
    assert not enemy.was_told(Lines)
    assert [c.new_device for c in await ana.node.contacts()] == [True]
    await _talk_goes_on(world, ana, bo, conversation)


async def test_a_false_proof_of_two_versions_closes_nothing(world: World, expected_log: list[str]) -> None:
    expected_log.append("refused")
    ana, bo, conversation = await world.linked_peers()
    (link,) = ana.node._session._book.links  # type: ignore[union-attr]
    header = SignedHeader(b"\x90", b"x" * 64)
    bo_link: Link = bo.node._session._book.links[0]  # type: ignore[union-attr]
    bo_link.send(Equivocation(conversation, header, header))
    await world.until(lambda: link.has_ended, seconds=30)
    await world.until(lambda: bool(ana.node._session._book.links), seconds=60)  # type: ignore[union-attr]
    await _talk_goes_on(world, ana, bo, conversation)


async def test_a_flood_of_pings_and_digests_starves_nobody(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("eve"), ana)
    for _ in range(2_000):
        enemy.say(Digests(()))
    await _talk_goes_on(world, ana, bo, conversation)
    enemy.say(Goodbye("leaving"))


async def test_one_who_asks_and_never_reads_is_hung_up_on(
    world: World, expected_log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_log.append("takes nothing")
    monkeypatch.setattr(node_limits, "LINK_BACKLOG_BYTES", 512 * 1024)
    ana, bo, conversation = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("eve"), ana)
    enemy.transport.pause_reading()
    sent = 0
    for _ in range(200):
        enemy.say(*[Ping()] * 1_000)
        sent += 1_000
        await asyncio.sleep(0.01)
    session = await ana.node.session()
    assert session is not None
    assert session.links == 1, "the one with Bo"
    await _talk_goes_on(world, ana, bo, conversation)


async def test_one_question_said_a_thousand_times_gets_one_answer(world: World) -> None:
    ana, _, _ = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("eve"), ana)
    realm = ana.node._session.realm  # type: ignore[union-attr]
    with_ana = ConversationId.of_two(realm, UserId("ana"), UserId("eve"))
    enemy.say(Digests((ConversationDigest(with_ana, EntryHash(b"x" * 32)),) * limits.CONVERSATIONS_PER_MESSAGE))
    await asyncio.sleep(5)
    assert sum(isinstance(message, Buckets) for message in enemy.heard) == 1


async def test_a_key_trusted_under_one_name_is_not_trusted_under_another(world: World, expected_log: list[str]) -> None:
    expected_log += ["refused", "never seen"]
    ana, bo, conversation = await world.linked_peers()
    await ana.node.send_text(conversation, "a secret")
    enemies = Enemies(world)
    await enemies.linked(enemies.certified("eve"), ana)
    ana.node._session.contacts._lists.clear()  # type: ignore[union-attr]
    enemy = await enemies.linked(enemies.certified("bo"), ana)
    enemy.say(Lines(conversation, ALL_BUCKETS, (), answer=True))
    await asyncio.sleep(35)
    assert not enemy.was_told(Digests)
    assert not enemy.was_told(Entries)
    await _talk_goes_on(world, ana, bo, conversation)


async def test_a_stranger_who_left_is_watched_no_more(world: World) -> None:
    ana, _, _ = await world.linked_peers()
    enemies = Enemies(world)
    enemy = await enemies.linked(enemies.certified("eve"), ana)
    watched = ana.node._session.locator._watched  # type: ignore[union-attr]
    assert watched == {"bo", "eve"}
    enemy.transport.close()
    await world.until(lambda: watched == {"bo"})


async def test_an_address_that_no_resolver_can_ask_for_does_not_end_the_dialling(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo, _ = await world.linked_peers()
    tried: list[str] = []
    real_dial = MemoryWire.dial

    async def dial(wire: MemoryWire, host: str, *rest: Any, **more: Any) -> Any:
        tried.append(host)
        if len(tried) < 4:
            raise UnicodeError("label empty or too long")
        return await real_dial(wire, host, *rest, **more)

    monkeypatch.setattr(MemoryWire, "dial", dial)
    for link in ana.node._session._book.links:  # type: ignore[union-attr]
        link.abort()
    await world.until(lambda: len(tried) >= 4, seconds=60)
    await world.until(lambda: bool(bo.node._session._book.links), seconds=60)  # type: ignore[union-attr]


async def test_taking_over_where_one_is_connected_changes_nothing(world: World) -> None:
    ana, bo, conversation = await world.linked_peers()
    before = await ana.node.session()
    assert await ana.node.resume() == before
    await _talk_goes_on(world, ana, bo, conversation)

"""Files of ours that wait to be read: in their conversation at once, in order, and not lost by anything."""

import asyncio
from pathlib import Path

import pytest

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.views import ConversationId, EntryId, MessageView, PageAt, TransferState
from tests.harness.virtual_time import HeldExecutor
from tests.harness.world import LinkedPeers, Person, World

LARGE = 5_000


@pytest.fixture
def large_files(world: World, monkeypatch: pytest.MonkeyPatch) -> HeldExecutor:
    """The thread that reads what is large; here that is 5,000 bytes, and it takes until it is released."""
    monkeypatch.setattr(limits, "COPIED_BYTES", LARGE - 1)
    held = world.workers["large files"] = HeldExecutor()
    return held


def written(folder: Path, name: str, size: int = 10) -> Path:
    path = folder / name
    path.write_bytes(name.encode().ljust(size, b"."))
    return path


class Sender:
    """Somebody who sends several files at once, and looks at what becomes of them."""

    def __init__(self, who: Person, conversation: ConversationId) -> None:
        self.who = who
        self.conversation = conversation

    def send(self, *paths: Path) -> list["asyncio.Task[MessageView]"]:
        return [asyncio.create_task(self.who.node.send_file(self.conversation, path)) for path in paths]

    async def shown(self) -> list[tuple[str, TransferState]]:
        page = await self.who.node.page(self.conversation)
        return [(m.attachment.name if m.attachment else m.text, state_of(m)) for m in page.messages]

    async def entry(self, name: str) -> EntryId:
        return next(m.entry for m in await self.who.node.files(self.conversation) if name_of(m) == name)

    def withdrawn(self) -> list[str]:
        return [name_of(event.message) for event in self.who.told("transfer_withdrawn")]


def state_of(message: MessageView) -> TransferState:
    return message.attachment.state if message.attachment is not None else TransferState.HERE


def name_of(message: MessageView) -> str:
    assert message.attachment is not None
    return message.attachment.name


PREPARING, HERE, FAILED = TransferState.PREPARING, TransferState.HERE, TransferState.FAILED


async def test_what_waits_stands_in_its_conversation_at_once_and_is_sent_in_its_order(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    sender = Sender(ana, conversation)
    files = [written(tmp_path, "a.iso", LARGE), written(tmp_path, "b.txt"), written(tmp_path, "c.txt")]
    sending = sender.send(*files)
    waiting = [("a.iso", PREPARING), ("b.txt", PREPARING), ("c.txt", PREPARING)]
    await world.until(lambda: len(ana.told("transfer_progressed")) == 3)
    assert await sender.shown() == waiting
    await ana.node.send_text(conversation, "a text waits for nothing")
    await world.shows(bo, conversation, ["a text waits for nothing"])
    assert [name_of(m) for m in await ana.node.files(conversation)] == ["c.txt", "b.txt", "a.iso"]
    large_files.release()
    await asyncio.gather(*sending)
    sent = [(name, HERE) for name, _ in waiting]
    assert await sender.shown() == [("a text waits for nothing", HERE), *sent]
    await world.until(lambda: len(bo.told("message_arrived")) == 4)
    assert [name_of(event.message) for event in bo.told("message_arrived")[1:]] == ["a.iso", "b.txt", "c.txt"]


async def test_another_conversation_does_not_wait(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    cy = await world.registered("cy")
    with_cy = await world.befriend(ana, cy)
    (slow,) = Sender(ana, conversation).send(written(tmp_path, "a.iso", LARGE))
    assert state_of(await ana.node.send_file(with_cy, written(tmp_path, "b.txt"))) is HERE
    assert not slow.done()
    large_files.release()
    await slow


async def test_a_restart_goes_on_with_what_waits(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    sender = Sender(ana, conversation)
    pasted = written(tmp_path, "b.txt")
    sending = sender.send(written(tmp_path, "a.iso", LARGE), pasted, written(tmp_path, "c.txt"))
    await world.until(lambda: len(ana.told("transfer_progressed")) == 3)
    await ana.node.close()
    for each in sending:
        with pytest.raises(Refusal, match="when you sign in again"):
            await each
    pasted.unlink()  # as what was pasted is gone with the program
    ana = await world.returns("ana")
    sender = Sender(ana, conversation)
    assert await sender.shown() == [("a.iso", PREPARING), ("b.txt", PREPARING), ("c.txt", PREPARING)]
    large_files.release()
    await world.until(lambda: len(bo.told("message_arrived")) == 3)
    assert await sender.shown() == [("a.iso", HERE), ("b.txt", HERE), ("c.txt", HERE)]
    for message in await ana.node.files(conversation):
        assert message.attachment is not None
        assert Path(message.attachment.path).read_bytes().startswith(message.attachment.name.encode())
    await ana.node.close()
    ana = await world.returns("ana")
    assert len(await ana.node.files(conversation)) == 3, "nothing is sent twice"


async def test_a_source_that_vanished_meanwhile_is_said_and_can_be_tried_again(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    path = written(tmp_path, "a.iso", LARGE)
    sending = Sender(ana, conversation).send(path, written(tmp_path, "b.txt"))
    await world.until(lambda: len(ana.told("transfer_progressed")) == 2)
    await ana.node.close()
    await asyncio.gather(*sending, return_exceptions=True)
    path.unlink()
    for _ in range(2):  # it stays so after another restart
        ana = await world.returns("ana")
        sender = Sender(ana, conversation)
        large_files.release()
        await world.until(lambda: len(bo.told("message_arrived")) == 1)
        assert await sender.shown() == [("a.iso", FAILED), ("b.txt", HERE)]
        (failed,) = [m.attachment for m in await ana.node.files(conversation) if name_of(m) == "a.iso"]
        assert failed is not None
        assert (failed.code, failed.reason) == (
            RefusalCode.NO_SUCH_FILE,
            "a.iso is not there any more. Choose it again.",
        )
        await ana.node.close()
    ana = await world.returns("ana")
    sender = Sender(ana, conversation)
    written(tmp_path, "a.iso", LARGE)
    again = await ana.node.resume_file(await sender.entry("a.iso"))
    assert state_of(again) is PREPARING
    large_files.release()
    await world.until(lambda: len(bo.told("message_arrived")) == 2)
    assert await sender.shown() == [("b.txt", HERE), ("a.iso", HERE)]


async def test_what_could_not_be_sent_is_put_away(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    path = written(tmp_path, "a.iso", LARGE)
    (sending,) = Sender(ana, conversation).send(path)
    await world.until(lambda: bool(ana.told("transfer_progressed")))
    await ana.node.close()
    await asyncio.gather(sending, return_exceptions=True)
    path.unlink()
    ana = await world.returns("ana")
    sender = Sender(ana, conversation)
    large_files.release()
    await world.until(lambda: bool(ana.told("transfer_failed")))
    await ana.node.cancel_file(await sender.entry("a.iso"))
    assert (await sender.shown(), sender.withdrawn()) == ([], ["a.iso"])
    await ana.node.close()
    ana = await world.returns("ana")
    assert await Sender(ana, conversation).shown() == []


@pytest.mark.parametrize("which", [0, 1], ids=["while it is read", "while it waits"])
async def test_what_is_cancelled_goes_at_once(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path, which: int
) -> None:
    ana, bo, conversation = await linked_peers()
    sender = Sender(ana, conversation)
    names = ["a.iso", "b.txt", "c.txt"]
    sending = sender.send(*(written(tmp_path, name, LARGE if name == "a.iso" else 10) for name in names))
    await world.until(lambda: len(ana.told("transfer_progressed")) == 3)
    taken = await ana.node.cancel_file(await sender.entry(names[which]))
    assert taken.attachment is not None
    assert (taken.attachment.state, taken.attachment.code) == (FAILED, RefusalCode.CANCELLED)
    left = [name for name in names if name != names[which]]
    assert [name for name, _ in await sender.shown() if name not in left] == []
    assert sender.withdrawn() == [names[which]]
    with pytest.raises(Refusal, match="You took it back"):
        await sending[which]
    large_files.release()
    await asyncio.gather(*sending, return_exceptions=True)
    await world.until(lambda: len(bo.told("message_arrived")) == 2)
    assert await sender.shown() == [(name, HERE) for name in left]
    copies = {path.name for path in (tmp_path / "ana").rglob("sent/*/*")}
    assert copies == {name for name in left if name != "a.iso"}
    with pytest.raises(Refusal):
        await ana.node.cancel_file(EntryId(b"x" * 16))


async def test_who_is_no_friend_any_more_is_not_sent_what_waited(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    sender = Sender(ana, conversation)
    (sending,) = sender.send(written(tmp_path, "a.iso", LARGE))
    await world.until(lambda: bool(ana.told("transfer_progressed")))
    await ana.node.remove("bo")
    large_files.release()
    with pytest.raises(Refusal) as refused:
        await sending
    assert refused.value.code is RefusalCode.NOT_A_FRIEND
    assert (await sender.shown(), sender.withdrawn()) == ([], ["a.iso"])
    assert bo.told("message_arrived") == []


async def test_whoever_stops_waiting_for_it_does_not_stop_it(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    (sending,) = Sender(ana, conversation).send(written(tmp_path, "a.iso", LARGE))
    await world.until(lambda: bool(ana.told("transfer_progressed")))
    sending.cancel()
    await asyncio.sleep(1)
    large_files.release()
    await world.until(lambda: bool(bo.told("message_arrived")))


async def test_no_more_than_so_many_wait(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SENDINGS_WAITING", 2)
    ana, _, conversation = await linked_peers()
    sending = Sender(ana, conversation).send(written(tmp_path, "a.iso", LARGE), written(tmp_path, "b.txt"))
    await world.until(lambda: len(ana.told("transfer_progressed")) == 2)
    with pytest.raises(Refusal) as refused:
        await ana.node.send_file(conversation, written(tmp_path, "c.txt"))
    assert refused.value.code is RefusalCode.RATE_LIMITED
    large_files.release()
    await asyncio.gather(*sending)


async def test_what_waits_is_on_the_page_where_it_stands(
    world: World, linked_peers: LinkedPeers, large_files: HeldExecutor, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    node = ana.node
    for number in range(4):
        await node.send_text(conversation, f"before {number}")
    (sending,) = Sender(ana, conversation).send(written(tmp_path, "a.iso", LARGE))
    await world.until(lambda: bool(ana.told("transfer_progressed")))
    for number in range(4):
        await node.send_text(conversation, f"after {number}")

    def labels(messages: list[MessageView]) -> list[str]:
        return [message.text or name_of(message) for message in messages]

    whole = [*(f"before {n}" for n in range(4)), "a.iso", *(f"after {n}" for n in range(4))]
    everything = (await node.page(conversation)).messages
    assert labels(everything) == whole
    for limit in range(1, 9):
        upwards = await node.page(conversation, limit=limit)
        seen = upwards.messages
        while upwards.has_older:
            upwards = await node.page(conversation, PageAt(before=seen[0].entry), limit)
            seen = upwards.messages + seen
        assert labels(seen) == whole, f"upwards by {limit}"
        downwards = await node.page(conversation, PageAt(after=seen[0].entry), limit)
        seen = seen[:1] + downwards.messages
        while downwards.has_newer:
            downwards = await node.page(conversation, PageAt(after=seen[-1].entry), limit)
            seen += downwards.messages
        assert labels(seen) == whole, f"downwards by {limit}"
    large_files.release()
    await sending

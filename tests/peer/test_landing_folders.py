"""Where files land: a folder for each account and conversation, whatever they are called; and what comes unasked."""

from pathlib import Path

import pytest

from peer import limits
from peer.attachments.file_settings import FileSettings
from peer.errors import Refusal, RefusalCode
from peer.storage.database import Database
from peer.views import ConversationId, MessageKind, MessageView, TransferState
from tests.harness.virtual_time import InlineExecutor
from tests.harness.world import LinkedPeers, Person, World


def conversation(number: int) -> ConversationId:
    return ConversationId(bytes([number]) * 32)


async def test_each_conversation_has_a_folder_of_its_own_that_keeps_its_name(tmp_path: Path) -> None:
    for _ in range(2):  # before and after a restart
        database = Database(tmp_path / "a.db", InlineExecutor(), InlineExecutor())
        await database.open(b"k" * 32)
        settings = FileSettings(database, tmp_path, "ana")
        await settings.load()
        for number, title, name in (
            (1, "Li Wei", "Li Wei"),
            (2, "Li Wei", "Li Wei (2)"),
            (3, "LI WEI", "LI WEI (3)"),
            (1, "Wei of the lab", "Li Wei"),
            (4, "..", "file"),
            (5, "../ana", "_ana"),
            (6, "con", "_con"),
            (7, "\u202eexe.", "exe"),
        ):
            assert await settings.folder_for(conversation(number), title) == tmp_path / "ana" / name
        await database.close()


async def test_an_account_keeps_the_folder_it_had_first(tmp_path: Path) -> None:
    for name in ("ana", "ana (12ab)"):
        database = Database(tmp_path / "a.db", InlineExecutor(), InlineExecutor())
        await database.open(b"k" * 32)
        settings = FileSettings(database, tmp_path, name)
        await settings.load()
        assert settings.downloads == tmp_path / "ana"
        await database.close()


async def test_two_accounts_of_one_name_have_two_folders(world: World, tmp_path: Path) -> None:
    await world.start_locator()
    ana = await world.registered("ana")
    first = await ana.node.downloads()
    await ana.node.close()
    (account,) = (tmp_path / "ana" / "accounts").glob("*-ana")
    account.rename(account.with_name("0" * 64 + "-ana"))  # as if it were of another locator
    again = await world.returns("ana")
    second = await again.node.downloads()
    assert first.name == "ana"
    assert second.parent == first.parent
    assert second.name.startswith("ana (")


# --- what comes by itself ------------------------------------------------------------------------


def sent(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(b"x" * size)
    return path


async def came(world: World, who: Person, name: str) -> TransferState:
    """Return what becomes of a file that somebody else sent: nobody serves in memory, so it gets no further."""

    async def listed() -> list[MessageView]:
        views = [await who.node.files(talk.conversation) for talk in await who.node.conversations()]
        return [m for view in views for m in view if m.attachment is not None and m.attachment.name == name]

    async def is_there() -> bool:
        return bool(await listed())

    await world.until(is_there)
    (message,) = await listed()
    assert message.attachment is not None
    return message.attachment.state


COMES, STAYS = TransferState.WAITING, TransferState.OFFERED


@pytest.mark.parametrize(
    ("setting", "size", "kind", "state"),
    [
        (None, limits.AUTO_FETCH_BYTES, MessageKind.FILE, COMES),
        (None, limits.AUTO_FETCH_BYTES + 1, MessageKind.FILE, STAYS),
        (None, limits.AUTO_FETCH_BYTES + 1, MessageKind.VOICE, COMES),
        (None, limits.AUTO_FETCH_MEDIA_BYTES, MessageKind.VOICE, COMES),
        (None, limits.AUTO_FETCH_MEDIA_BYTES + 1, MessageKind.VOICE, STAYS),
        (5, 5, MessageKind.FILE, COMES),
        (5, 6, MessageKind.FILE, STAYS),
        (5, 6, MessageKind.VOICE, COMES),
        (0, 1, MessageKind.FILE, STAYS),
        (0, 1, MessageKind.VOICE, STAYS),
        (20 * 1024 * 1024, 11 * 1024 * 1024, MessageKind.VOICE, COMES),
    ],
)
async def test_what_is_small_comes_from_friends_unasked(
    world: World,
    linked_peers: LinkedPeers,
    tmp_path: Path,
    setting: int | None,
    size: int,
    kind: MessageKind,
    state: TransferState,
) -> None:
    ana, bo, talk = await linked_peers()
    if setting is not None:
        await bo.node.set_auto_fetch(setting)
    await ana.node.send_file(talk, sent(tmp_path, "a.bin", size), kind=kind)
    assert await came(world, bo, "a.bin") is state


async def test_nothing_comes_unasked_from_a_fellow_member_who_is_no_friend(world: World, tmp_path: Path) -> None:
    await world.start_locator()
    ana, bo, cy = [await world.registered(name) for name in ("ana", "bo", "cy")]
    for friend in (bo, cy):
        await world.befriend(ana, friend)
    group = (await ana.node.create_group("Lab", ["bo", "cy"])).conversation
    await world.until(lambda: bool(bo.told("group_changed")) and bool(cy.told("group_changed")))
    await bo.node.send_file(group, sent(tmp_path, "small.txt", 10))
    assert await came(world, cy, "small.txt") is STAYS
    assert await came(world, ana, "small.txt") is COMES


async def test_a_flood_of_small_files_does_not_come_by_itself(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNASKED_FETCHES", 2)
    ana, bo, talk = await linked_peers()
    for number in range(4):
        await ana.node.send_file(talk, sent(tmp_path, f"{number}.txt", 10))
    assert [await came(world, bo, f"{number}.txt") for number in range(4)] == [COMES, COMES, STAYS, STAYS]


# --- names that are none ---------------------------------------------------------------------------


@pytest.mark.parametrize("largest_copy", [0, 1_000], ids=["large", "small"])
async def test_a_file_whose_name_is_no_text_is_sent_as_a_copy_or_refused(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest_copy: int
) -> None:
    monkeypatch.setattr(limits, "COPIED_BYTES", largest_copy)
    ana, bo, talk = await linked_peers()
    path = tmp_path / "tea\udce9.txt"
    try:
        path.write_bytes(b"x" * 100)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    if largest_copy:
        await ana.node.send_file(talk, path)
        assert await came(world, bo, "tea_.txt") is COMES
        return
    with pytest.raises(Refusal) as refused:
        await ana.node.send_file(talk, path)
    assert refused.value.code is RefusalCode.BAD_NAME
    refused.value.message.encode()


@pytest.mark.parametrize("name", ["a\0b", "gone \udce9"])
async def test_what_cannot_be_there_is_refused_in_words_that_can_be_shown(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, name: str
) -> None:
    ana, _, talk = await linked_peers()
    with pytest.raises(Refusal) as refused:
        await ana.node.send_file(talk, tmp_path / name)
    assert refused.value.code is RefusalCode.NO_SUCH_FILE
    refused.value.message.encode()

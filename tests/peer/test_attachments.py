"""What a person does with files, as far as it needs no second machine: virtual time, real folders."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from peer import limits
from peer.entries.attachment_view import attachment_view
from peer.errors import Refusal, RefusalCode
from peer.pictures.formats import PictureFormat
from peer.pictures.tasks import PreparedPicture, Thumbnail
from peer.views import AudioChoice, ConversationId, MessageKind, MessageView, SharedAt, TransferState
from protocol.limits import CAPTION_LENGTH
from tests.harness.world import LinkedPeers, Person, World
from tests.peer.pictures_made import BAD, PLACE, SECRET, encoded, exif, halves

BIG = limits.AUTO_FETCH_BYTES + 1


def written(folder: Path, name: str, size: int = BIG) -> Path:
    path = folder / name
    path.write_bytes(b"x" * size)
    return path


async def offered(world: World, who: Person) -> MessageView:
    await world.until(lambda: bool(who.told("message_arrived")))
    message: MessageView = who.told("message_arrived")[-1].message
    return message


def state_of(message: MessageView) -> TransferState:
    assert message.attachment is not None
    return message.attachment.state


async def test_what_is_sent_is_here_for_its_author_and_offered_to_the_other(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    sent = await ana.node.send_file(conversation, written(tmp_path, "slides.pdf"), "for tomorrow")
    assert (sent.kind, sent.text, state_of(sent)) == (MessageKind.FILE, "for tomorrow", TransferState.HERE)
    assert sent.attachment is not None
    assert Path(sent.attachment.path).read_bytes() == b"x" * BIG
    came = await offered(world, bo)
    assert (came.entry, came.text, state_of(came)) == (sent.entry, "for tomorrow", TransferState.OFFERED)
    assert came.attachment is not None
    assert (came.attachment.name, came.attachment.size, came.attachment.done) == ("slides.pdf", BIG, 0)


async def test_a_text_and_a_file_stand_in_the_order_they_were_sent(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    await ana.node.send_text(conversation, "look")
    photo = tmp_path / "photo.JPG"
    photo.write_bytes(encoded(halves(), "JPEG"))
    await ana.node.send_file(conversation, photo)
    await ana.node.send_text(conversation, "nice?")
    await world.shows(bo, conversation, ["look", "", "nice?"])
    kinds = [message.kind for message in await bo.node.messages(conversation)]
    assert kinds == [MessageKind.TEXT, MessageKind.PICTURE, MessageKind.TEXT]
    (listed,) = await bo.node.files(conversation)
    assert listed.kind is MessageKind.PICTURE


@pytest.mark.parametrize(
    ("command", "state"),
    [("decline_file", TransferState.DECLINED), ("fetch_file", TransferState.WAITING)],
)
async def test_the_other_declines_or_wants_it(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, command: str, state: TransferState
) -> None:
    ana, bo, conversation = await linked_peers()
    await ana.node.send_file(conversation, written(tmp_path, "slides.pdf"))
    entry = (await offered(world, bo)).entry
    world.network.unplugged.add(world.host("ana"))
    change: Any = getattr(bo.node, command)
    assert state_of(await change(entry)) is state
    (listed,) = await bo.node.files(conversation)
    assert state_of(listed) is state


async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    sent = await ana.node.send_file(conversation, written(tmp_path, "slides.pdf"))
    with pytest.raises(Refusal) as refused:
        await ana.node.pause_file(sent.entry)
    assert refused.value.code is RefusalCode.BAD_REQUEST
    assert state_of(await ana.node.fetch_file(sent.entry)) is TransferState.HERE
    text = await ana.node.send_text(conversation, "hello")
    with pytest.raises(Refusal) as refused:
        await ana.node.fetch_file(text.entry)
    assert refused.value.code is RefusalCode.UNKNOWN_ENTRY


async def test_what_cannot_be_sent_is_refused_in_one_sentence_and_leaves_nothing(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    (tmp_path / "empty").mkdir()
    file = written(tmp_path, "x.txt", 1)
    cases: list[tuple[Path, str, RefusalCode]] = [
        (tmp_path / "not there", "", RefusalCode.NO_SUCH_FILE),
        (tmp_path / "empty", "", RefusalCode.EMPTY_FOLDER),
        (Path("/dev/null"), "", RefusalCode.UNREADABLE_FILE),
        (file, "x" * (CAPTION_LENGTH + 1), RefusalCode.TOO_LARGE),
    ]
    for path, caption, code in cases:
        with pytest.raises(Refusal) as refused:
            await ana.node.send_file(conversation, path, caption)
        assert refused.value.code is code
        assert refused.value.message.endswith((".", "?"))
    assert await ana.node.files(conversation) == []
    assert not list((tmp_path / "ana").rglob("sent/*"))


async def test_a_file_with_nothing_in_it_can_be_sent(world: World, linked_peers: LinkedPeers, tmp_path: Path) -> None:
    ana, bo, conversation = await linked_peers()
    sent = await ana.node.send_file(conversation, written(tmp_path, "nothing.txt", 0))
    assert state_of(sent) is TransferState.HERE
    assert (await offered(world, bo)).entry == sent.entry


async def test_a_folder_is_one_message(world: World, linked_peers: LinkedPeers, tmp_path: Path) -> None:
    ana, bo, conversation = await linked_peers()
    folder = tmp_path / "lecture"
    (folder / "notes").mkdir(parents=True)
    written(folder, "slides.pdf", 10)
    written(folder / "notes", "第一.txt", 5)
    (folder / "link").symlink_to("/etc/passwd")
    await ana.node.set_auto_fetch(0)
    await bo.node.set_auto_fetch(0)
    await ana.node.send_file(conversation, folder)
    view = (await offered(world, bo)).attachment
    assert view is not None
    assert (view.name, view.is_folder, view.files, view.size) == ("lecture", True, 2, 15)


async def test_the_original_may_change_after_it_was_sent(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, _, conversation = await linked_peers()
    original = written(tmp_path, "draft.txt", 10)
    sent = await ana.node.send_file(conversation, original)
    original.unlink()
    assert sent.attachment is not None
    assert Path(sent.attachment.path).read_bytes() == b"x" * 10


async def test_only_friends_are_sent_files(world: World, tmp_path: Path) -> None:
    await world.start_locator()
    ana = await world.registered("ana")
    await world.registered("bo")
    conversation = (await ana.node.open_conversation("bo")).conversation
    with pytest.raises(Refusal) as refused:
        await ana.node.send_file(conversation, written(tmp_path, "x.txt", 1))
    assert refused.value.code is RefusalCode.NOT_A_FRIEND


async def test_the_settings_are_kept(linked_peers: LinkedPeers, world: World, tmp_path: Path) -> None:
    ana, _, _ = await linked_peers()
    await ana.node.set_auto_fetch(5)
    await ana.node.set_downloads(tmp_path / "elsewhere")
    await ana.node.choose_audio(AudioChoice("耳机", "Loudspeaker"))
    await ana.node.close()
    ana = await world.returns("ana")
    assert await ana.node.auto_fetch() == 5
    assert await ana.node.downloads() == tmp_path / "elsewhere"
    assert await ana.node.audio_choice() == AudioChoice("耳机", "Loudspeaker")


async def test_a_picture_that_is_here_is_shown_as_a_clean_copy_and_no_other(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    path = tmp_path / "red.png"
    Image.new("RGB", (90, 60), (200, 0, 0)).save(path)
    sent = await ana.node.send_file(conversation, path)
    shown = await ana.node.picture(sent.entry, 64)
    assert (shown.width, shown.height, shown.frames) == (90, 60, 1)
    assert (await ana.node.preview(path)).width == 90
    thumbnail = (await ana.node.preview(path)).jpeg
    assert (await ana.node.shown_thumbnail(thumbnail)).height == 60
    await bo.node.set_auto_fetch(0)
    world.network.unplugged.add(world.host("ana"))
    with pytest.raises(Refusal) as refusal:
        await bo.node.picture((await offered(world, bo)).entry, 64)
    assert refusal.value.code is RefusalCode.REFUSED


async def test_a_picture_is_sent_without_where_it_was_taken(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    photo = tmp_path / "holiday.jpg"
    photo.write_bytes(encoded(halves(size=(800, 600)), "JPEG", exif=exif(orientation=6)))
    assert PLACE in photo.read_bytes()
    sent = await ana.node.send_file(conversation, photo, "the sea")
    assert (sent.kind, sent.text, state_of(sent)) == (MessageKind.PICTURE, "the sea", TransferState.HERE)
    assert sent.attachment is not None
    copy = Path(sent.attachment.path)
    assert copy.name == "holiday.jpg"
    assert sent.attachment.size == copy.stat().st_size
    for secret in (PLACE, SECRET):
        assert secret not in copy.read_bytes()
        assert secret not in sent.attachment.thumbnail
    with Image.open(copy) as bare, Image.open(photo) as whole:
        assert bare.tobytes() == whole.tobytes()
        assert bare.getexif()[0x0112] == 6
    came = await offered(world, bo)
    assert came.kind is MessageKind.PICTURE
    assert came.attachment is not None
    assert (came.attachment.width, came.attachment.height) == (600, 800), "as it is seen"
    shown = await bo.node.shown_thumbnail(came.attachment.thumbnail)
    assert (shown.width, shown.height) == (240, 320)


def says(refused: "pytest.ExceptionInfo[Refusal]") -> tuple[RefusalCode, bool]:
    """Return the code, and whether the file is named."""
    return refused.value.code, "“bomb.png”" in refused.value.message


async def test_what_cannot_be_shown_as_a_picture_is_refused_by_name_or_sent_as_a_file(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    path = tmp_path / "bomb.png"
    for bad in BAD:
        path.write_bytes(bad.content)
        for attempt in (
            lambda: ana.node.preview(path),
            lambda: ana.node.send_file(conversation, path, kind=MessageKind.PICTURE),
        ):
            with pytest.raises(Refusal, match=bad.says) as refused:
                await attempt()
            assert says(refused) == (bad.code, True)
        sent = await ana.node.send_file(conversation, path)
        assert sent.kind is MessageKind.FILE, bad.what
        assert sent.attachment is not None
        assert Path(sent.attachment.path).read_bytes() == bad.content
    await world.until(lambda: len(bo.told("message_arrived")) == len(BAD))
    assert {event.message.kind for event in bo.told("message_arrived")} == {MessageKind.FILE}
    assert len(await ana.node.files(conversation)) == len(BAD)


async def test_a_bad_picture_that_somebody_sends_all_the_same_is_refused_by_name_when_it_is_looked_at(
    world: World, linked_peers: LinkedPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del world  # closed by its fixture
    ana, _bo, conversation = await linked_peers()
    path = tmp_path / "bomb.png"
    for bad in BAD[1:]:  # an empty file cannot even be sent so
        path.write_bytes(bad.content)

        async def says_it_is_fine(_path: Path, content: bytes = bad.content) -> PreparedPicture:
            return PreparedPicture(content, PictureFormat.PNG, Thumbnail(b"no thumbnail either", 60, 40))

        monkeypatch.setattr(ana.node._need_session().pictures, "prepare", says_it_is_fine)
        sent = await ana.node.send_file(conversation, path, kind=MessageKind.PICTURE)
        assert sent.kind is MessageKind.PICTURE
        with pytest.raises(Refusal, match=bad.says) as refused:
            await ana.node.picture(sent.entry, 640)
        assert says(refused) == (bad.code, True)
    with pytest.raises(Refusal, match="“thumbnail”"):
        await ana.node.shown_thumbnail(b"no thumbnail either")


async def test_a_file_stays_as_it_is_whatever_it_shows(world: World, linked_peers: LinkedPeers, tmp_path: Path) -> None:
    del world  # closed by its fixture
    ana, _bo, conversation = await linked_peers()
    photo = tmp_path / "original.jpg"
    photo.write_bytes(encoded(halves(), "JPEG", exif=exif()))
    sent = await ana.node.send_file(conversation, photo, kind=MessageKind.FILE)
    assert sent.kind is MessageKind.FILE
    assert sent.attachment is not None
    assert Path(sent.attachment.path).read_bytes() == photo.read_bytes()


async def test_the_shared_folder_is_paged_both_ways_by_kind_and_by_words(
    linked_peers: LinkedPeers, world: World, tmp_path: Path
) -> None:
    ana, bo, conversation = await linked_peers()
    picture = tmp_path / "Lake.png"
    Image.new("RGB", (9, 6)).save(picture)
    for number in range(6):
        await ana.node.send_text(conversation, "between")
        await ana.node.send_file(conversation, picture, f"day {number}")
        await bo.node.send_file(conversation, written(tmp_path, f"notes {number}.txt", 1))
    await world.until(lambda: shared_count(ana, conversation, 12))
    everything = await ana.node.files(conversation)
    pictures = [each for each in everything if each.kind is MessageKind.PICTURE]

    def at(**where: Any) -> SharedAt:
        return SharedAt(kinds=frozenset({MessageKind.PICTURE}), **where)

    assert [each.entry for each in await ana.node.files(conversation, at())] == [each.entry for each in pictures]
    third = pictures[2].entry
    assert await ana.node.files(conversation, at(before=third), 2) == pictures[3:5]
    assert await ana.node.files(conversation, at(after=third), 1) == pictures[1:2]
    assert await ana.node.files(conversation, at(after=third), 9) == pictures[:2]
    assert await ana.node.files(conversation, SharedAt(after=everything[0].entry)) == []

    async def names(words: str, limit: int = 9) -> list[str]:
        found = await ana.node.files(conversation, SharedAt(words=words), limit)
        return [f"{each.attachment.name} {each.text}".strip() for each in found if each.attachment is not None]

    assert await names("NOTES 4") == ["notes 4.txt"]
    assert await names("day 0") == ["Lake.png day 0"]
    assert await names("lake", 2) == ["Lake.png day 5", "Lake.png day 4"]
    assert len(await names("bo")) == 6, "who shared it counts, too"
    assert await names("nothing of the kind") == []


async def shared_count(person: Person, conversation: ConversationId, count: int) -> bool:
    return len(await person.node.files(conversation)) == count


async def test_a_program_is_told_under_the_name_it_came_with_and_the_one_it_has_here(
    world: World, linked_peers: LinkedPeers, tmp_path: Path
) -> None:
    del world  # closed by its fixture
    ana, _bo, conversation = await linked_peers()
    sent = await ana.node.send_file(conversation, written(tmp_path, "notes.txt"))
    row = (await ana.node._need_session().attachments._records.find(sent.entry)).attachment
    assert row is not None
    assert not attachment_view(row).risky
    assert attachment_view(replace(row, path="/downloads/notes.exe")).risky
    assert attachment_view(replace(row, body=msgspec.structs.replace(row.body, name="notes.exe"))).risky

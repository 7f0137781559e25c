"""Peers' pictures: shown upright and bare, or refused with a name and a reason; never a danger to the program."""

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.pictures import decoding
from peer.pictures.formats import PictureFormat, sniff
from peer.pictures.metadata import ContainerError, without_metadata
from peer.pictures.picture_cache import PictureCache
from peer.pictures.picture_service import Pictures
from peer.pictures.picture_worker import PictureWorker
from peer.pictures.tasks import CleanPicture, Job, PreparedPicture, Task, Thumbnail
from protocol.limits import THUMBNAIL_BYTES
from tests.peer import pictures_made as made


@pytest.fixture(scope="module")
def worker() -> Iterator[PictureWorker]:
    worker = PictureWorker()
    yield worker
    worker.rest()


def clean(worker: PictureWorker, content: bytes, side: int = 1280, name: str = "a.png") -> CleanPicture:
    answer = worker.run(Task(Job.CLEAN, name, content, side))
    assert isinstance(answer, CleanPicture)
    assert sniff(answer.content) is answer.kind
    return answer


def prepare(worker: PictureWorker, content: bytes) -> PreparedPicture:
    answer = worker.run(Task(Job.PREPARE, "a.png", content))
    assert isinstance(answer, PreparedPicture)
    return answer


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def reddish(colour: object) -> bool:
    assert isinstance(colour, tuple)
    return colour[0] > 180 and colour[2] < 80


STILLS = {
    "JPEG": made.encoded(made.halves(), "JPEG", quality=95),
    "progressive JPEG": made.encoded(made.halves(), "JPEG", quality=95, progressive=True),
    "CMYK JPEG": made.encoded(made.halves("CMYK"), "JPEG", quality=95),
    "grey JPEG": made.encoded(made.halves("L"), "JPEG"),
    "PNG": made.encoded(made.halves(), "PNG"),
    "PNG with a palette": made.encoded(made.halves("P"), "PNG"),
    "PNG of one bit": made.encoded(made.halves("L").point(lambda value: 255 * (value > 60), "1"), "PNG"),
    "PNG with alpha": made.encoded(made.halves("RGBA"), "PNG"),
    "GIF": made.encoded(made.halves("P"), "GIF"),
    "WebP": made.encoded(made.halves(), "WEBP"),
    "lossless WebP": made.encoded(made.halves("RGBA"), "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", STILLS)
def test_a_picture_of_each_kind_is_shown_and_prepared(worker: PictureWorker, kind: str) -> None:
    shown = clean(worker, STILLS[kind])
    assert (shown.width, shown.height, shown.frames) == (60, 40, 1)
    left, right = (opened(shown.content).convert("RGB").getpixel((x, 20)) for x in (5, 55))
    assert left != right
    assert reddish(left) == (kind not in {"grey JPEG", "PNG of one bit"})
    sent = prepare(worker, STILLS[kind])
    assert opened(sent.content).tobytes() == opened(STILLS[kind]).tobytes()
    assert (sent.thumbnail.width, sent.thumbnail.height) == (60, 40)


def test_sixteen_bits_of_grey_keep_their_shades(worker: PictureWorker) -> None:
    grey = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 0x4000, 0x8000, 0xFFFF)):
        grey.putpixel((x, 0), value)
    shown = opened(clean(worker, made.encoded(grey, "PNG")).content)
    assert [shown.getpixel((x, 0)) for x in range(4)] == [0, 0x40, 0x80, 0xFF]


def test_transparency_of_a_palette_stays(worker: PictureWorker) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    shown = opened(clean(worker, made.encoded(picture, "PNG", transparency=0)).content)
    assert [shown.getpixel((x, 0)) for x in range(2)] == [(255, 0, 0, 0), (0, 0, 255, 255)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_metadata_goes_and_the_picture_stands_upright(worker: PictureWorker, kind: str, orientation: int) -> None:
    corner = made.halves(size=(60, 40))
    corner.paste((20, 200, 20), (0, 0, 16, 16))
    whole = made.encoded(
        corner,
        kind,
        exif=made.exif(orientation),
        icc_profile=made.srgb_profile(),
        **{"quality": 95} if kind == "JPEG" else {},
    )
    assert made.SECRET in whole
    assert made.PLACE in whole
    upright = opened(clean(worker, whole).content)
    expected = Image.open(BytesIO(whole))
    turned = ImageOps.exif_transpose(expected).convert("RGB")
    assert upright.size == turned.size
    for place in ((4, 4), (upright.width - 5, 4), (4, upright.height - 5), (upright.width - 5, upright.height - 5)):
        seen, meant = upright.convert("RGB").getpixel(place), turned.getpixel(place)
        assert isinstance(seen, tuple)
        assert isinstance(meant, tuple)
        assert max(abs(a - b) for a, b in zip(seen, meant, strict=True)) < 30
    sent = prepare(worker, whole)
    assert opened(sent.content).getexif().get(0x0112, 1) == orientation
    assert (sent.thumbnail.width, sent.thumbnail.height) == turned.size
    for content in (clean(worker, whole).content, sent.content, sent.thumbnail.jpeg):
        assert made.SECRET not in content
        assert made.PLACE not in content
    assert not opened(clean(worker, whole).content).info.get("icc_profile")


def test_comments_and_what_follows_the_picture_go(worker: PictureWorker) -> None:
    for whole in (
        made.encoded(made.halves(), "JPEG", comment=made.SECRET),
        made.encoded(made.halves("P"), "GIF", comment=made.SECRET),
        made.encoded(made.halves(), "WEBP", xmp=made.SECRET),
    ):
        polyglot = whole + b"PK\x03\x04 <script>%PDF-1.7"
        assert made.SECRET in polyglot
        for content in (clean(worker, polyglot).content, prepare(worker, polyglot).content):
            assert made.SECRET not in content
            assert b"<script>" not in content


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_keeps_moving(worker: PictureWorker, kind: str) -> None:
    shown = clean(worker, made.animation(kind))
    assert shown.frames == 5
    assert opened(shown.content).n_frames == 5  # type: ignore[attr-defined]
    assert opened(prepare(worker, made.animation(kind)).content).n_frames == 5  # type: ignore[attr-defined]


def test_a_large_animation_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ANIMATION_PIXELS_SHOWN", 10_000)
    first, *others = made.frames(20, (100, 60))
    shown = decoding.cleaned(made.encoded(first, "GIF", save_all=True, append_images=others), "a.gif", 640)
    assert shown.frames == opened(shown.content).n_frames == 20  # type: ignore[attr-defined]
    assert 7_000 < shown.width * shown.height * 20 <= 10_000


def test_no_side_is_longer_than_asked_for(worker: PictureWorker) -> None:
    shown = clean(worker, made.encoded(made.halves(size=(900, 300)), "JPEG"), 320)
    assert (shown.width, shown.height) == (320, 107)
    assert clean(worker, made.encoded(made.halves(size=(30_000, 2)), "PNG"), 320).height == 1


def test_a_thumbnail_fits_into_a_message_whatever_the_picture(worker: PictureWorker) -> None:
    noise = Image.frombytes("RGB", (2000, 1500), random.Random(1).randbytes(9_000_000))
    for picture in (noise, made.halves("RGBA", (10, 4000)), made.halves(size=(1, 1))):
        thumbnail = worker.run(Task(Job.THUMBNAIL, "a.png", made.encoded(picture, "PNG")))
        assert isinstance(thumbnail, Thumbnail)
        assert len(thumbnail.jpeg) <= THUMBNAIL_BYTES
        assert (thumbnail.width, thumbnail.height) == picture.size
        assert max(opened(thumbnail.jpeg).size) <= limits.THUMBNAIL_SIDE


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", made.BAD, ids=lambda bad: bad.what)
def test_what_cannot_be_shown_is_refused_by_name(worker: PictureWorker, bad: made.Bad) -> None:
    for job in Job:  # on the way out as well as on the way in
        with pytest.raises(Refusal) as refused:
            worker.run(Task(job, "bomb.png", bad.content, 1280))
        assert refused.value.code is bad.code
        assert bad.says in refused.value.message
        assert "“bomb.png”" in refused.value.message


def test_a_bomb_within_the_limits_is_only_a_large_picture(worker: PictureWorker) -> None:
    side = int(limits.PICTURE_PIXELS**0.5)
    shown = clean(worker, made.huge_png(side, rows=side), 320)
    assert (shown.width, shown.height) == (320, 320)


def test_a_comment_that_unpacks_to_a_hundred_times_its_size_is_not_unpacked(worker: PictureWorker) -> None:
    bomb = made.text_bomb_png()
    with pytest.raises(Refusal) as refused:
        clean(worker, bomb)
    assert refused.value.code is RefusalCode.DAMAGED_PICTURE
    # Taken out without being read, it harms nobody.
    bare = without_metadata(bomb, PictureFormat.PNG)
    assert clean(worker, bare).width == 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WebP"])
def test_any_damage_ends_in_a_picture_or_a_refusal(worker: PictureWorker, kind: str) -> None:
    chance = random.Random(kind)
    process = None
    for _ in range(60):
        broken = bytearray(STILLS[kind])
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        for job in (Job.CLEAN, Job.PREPARE):
            try:
                worker.run(
                    Task(job, "x", bytes(broken[: chance.choice([len(broken), chance.randrange(len(broken))])]), 320)
                )
            except Refusal as refusal:
                assert refusal.code in {
                    RefusalCode.DAMAGED_PICTURE,
                    RefusalCode.UNSUPPORTED_PICTURE,
                    RefusalCode.TOO_LARGE,
                }
            process = process or worker.process_id
            assert worker.process_id == process, "one process outlives them all"


def test_a_container_is_read_within_its_bounds() -> None:
    for kind, name in (("JPEG", "JPEG"), ("PNG", "PNG"), ("GIF", "GIF"), ("WEBP", "WebP")):
        for length in range(len(STILLS[name])):
            with pytest.raises(ContainerError):
                without_metadata(STILLS[name][:length], PictureFormat(kind))


# --- the process -----------------------------------------------------------------------------------


def test_a_picture_that_takes_too_long_costs_one_sentence() -> None:
    slow = made.huge_png(7_000, rows=7_000)
    worker = PictureWorker(seconds=0.02)
    with pytest.raises(Refusal, match="takes more than") as refused:
        worker.run(Task(Job.CLEAN, "slow.png", slow, 320))
    assert refused.value.code is RefusalCode.TOO_LARGE
    assert worker.process_id is None
    worker.rest()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_decoder_that_crashes_costs_one_sentence() -> None:
    worker = PictureWorker()
    clean(worker, STILLS["PNG"])
    first = worker.process_id
    assert first is not None
    os.kill(first, signal.SIGSTOP)  # so that it is in the middle of the next one when it goes
    crash = threading.Timer(0.05, os.kill, (first, signal.SIGKILL))
    crash.start()
    with pytest.raises(Refusal, match=r"“evil\.png” cannot be shown") as refused:
        worker.run(Task(Job.CLEAN, "evil.png", STILLS["PNG"], 320))
    crash.join()
    assert refused.value.code is RefusalCode.DAMAGED_PICTURE
    assert clean(worker, STILLS["PNG"]).width == 60
    assert worker.process_id != first
    worker.rest()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_process_that_died_while_nobody_asked_is_replaced_unseen(worker: PictureWorker) -> None:
    clean(worker, STILLS["PNG"])
    assert worker.process_id is not None
    os.kill(worker.process_id, signal.SIGKILL)
    os.waitid(os.P_PID, worker.process_id, os.WEXITED | os.WNOWAIT)
    assert clean(worker, STILLS["PNG"]).width == 60


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_process_can_open_nothing_and_has_bounded_memory(worker: PictureWorker) -> None:
    clean(worker, STILLS["PNG"])
    told = Path(f"/proc/{worker.process_id}/limits").read_text()
    bounds = {line[:25].strip(): line[25:].split()[1] for line in told.splitlines()[1:]}
    assert bounds["Max address space"] == str(limits.PICTURE_WORKER_BYTES)
    assert bounds["Max open files"] == bounds["Max file size"] == bounds["Max core file size"] == "0"


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_process_goes_when_the_program_is_gone(worker: PictureWorker) -> None:
    clean(worker, STILLS["PNG"])
    process = worker._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()  # what the end of the program does
    assert process.wait(10) == 0


# --- the service and its cache ----------------------------------------------------------------------


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - told by a process, not by an event of this loop
            await asyncio.sleep(0.005)


def of_service(tmp_path: Path, use: Callable[[Pictures], Awaitable[None]]) -> None:
    async def run() -> None:
        pictures = Pictures(ThreadPoolExecutor(1), tmp_path / "cache")
        try:
            await use(pictures)
        finally:
            pictures.close()

    asyncio.run(run())


def test_a_picture_is_decoded_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(made.encoded(made.halves(size=(2000, 1000)), "JPEG"))

    async def use(pictures: Pictures) -> None:
        first = await pictures.shown(path, 700, key="abc")
        assert (first.width, first.height) == (1280, 640)
        path.unlink()
        assert await pictures.shown(path, 1280, key="abc") == first
        with pytest.raises(Refusal, match="cannot be read"):
            await pictures.shown(path, 1281, key="abc")
        await pictures.forget("abc")
        with pytest.raises(Refusal, match=r"“holiday\.jpg” cannot be read"):
            await pictures.shown(path, 700, key="abc", name="holiday.jpg")

    of_service(tmp_path, use)


def test_what_is_no_picture_starts_no_process(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"%PDF-1.7")

    async def use(pictures: Pictures) -> None:
        with pytest.raises(Refusal, match="PDF"):
            await pictures.prepare(path)
        assert pictures._worker.process_id is None

    of_service(tmp_path, use)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(STILLS["PNG"])
        file.truncate(limits.PICTURE_FILE_BYTES + 1)

    async def use(pictures: Pictures) -> None:
        with pytest.raises(Refusal) as refused:
            await pictures.thumbnail(path)
        assert refused.value.code is RefusalCode.TOO_LARGE
        assert "64 MB" in refused.value.message

    of_service(tmp_path, use)


def test_more_than_anybody_looks_at_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICTURES_WAITING", 3)
    path = tmp_path / "a.png"
    path.write_bytes(STILLS["PNG"])

    async def use(pictures: Pictures) -> None:
        asked = [pictures.shown(path, 320) for _ in range(5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, CleanPicture) for answer in answers) == 3
        assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {RefusalCode.TOO_MANY}
        assert (await pictures.shown(path, 320)).width == 60

    of_service(tmp_path, use)


def test_the_process_rests_when_there_is_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICTURE_WORKER_IDLE_SECONDS", 0.01)
    path = tmp_path / "a.png"
    path.write_bytes(STILLS["PNG"])

    async def use(pictures: Pictures) -> None:
        await pictures.thumbnail(path)
        await until(lambda: pictures._worker.process_id is None)
        assert (await pictures.thumbnail(path)).width == 60

    of_service(tmp_path, use)


def test_a_closed_service_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "slow.png"
    path.write_bytes(made.huge_png(7_000, rows=7_000))

    async def run() -> None:
        pictures = Pictures(thread := ThreadPoolExecutor(1), tmp_path / "cache")
        asked = asyncio.ensure_future(pictures.shown(path, 320))
        await until(lambda: pictures._worker.process_id is not None)
        pictures.close()
        with pytest.raises(Refusal):
            await asked
        with pytest.raises(Refusal):
            await pictures.shown(path, 320)
        await asyncio.to_thread(thread.shutdown)
        assert pictures._worker.process_id is None

    asyncio.run(run())


def picture_of(size: int) -> CleanPicture:
    return CleanPicture(bytes(size), PictureFormat.PNG, 3, 4)


def test_the_cache_stays_within_its_bound_and_drops_what_was_not_looked_at(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / "cache", most=1000)
    for key in ("a", "b", "c", "d"):
        cache.keep(key, 320, picture_of(250))
    assert cache.find("a", 320) is not None
    cache.keep("e", 320, picture_of(250))
    assert cache.find("b", 320) is None
    assert cache.find("a", 320) == picture_of(250)
    assert cache.find("a", 640) is None
    cache.keep("huge", 320, picture_of(900))
    assert cache.find("huge", 320) is None
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 1000


def test_the_cache_is_found_again_and_survives_foreign_files(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    PictureCache(folder).keep("a", 320, picture_of(9))
    (folder / "b-320-x.png").write_bytes(b"?")
    again = PictureCache(folder)
    assert again.find("a", 320) == picture_of(9)
    assert again.find("b", 320) is None
    again.forget("a")
    assert PictureCache(folder).find("a", 320) is None
    assert (folder.stat().st_mode & 0o777) == 0o700

"""Decodes pictures with Pillow. Runs in the worker process only: nothing else imports Pillow.

Each function takes a whole file's bytes, trusts none of them, and raises Refusal with a sentence that names the file.
"""

import contextlib
import warnings
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageCms, UnidentifiedImageError

from peer import limits
from peer.errors import Refusal, RefusalCode
from peer.pictures.formats import HEAD_BYTES, PictureFormat, need_picture
from peer.pictures.metadata import ContainerError, without_metadata
from peer.pictures.tasks import CleanPicture, PreparedPicture, Thumbnail
from protocol.limits import THUMBNAIL_BYTES

Image.MAX_IMAGE_PIXELS = limits.PICTURE_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

_ORIENTATION = 0x0112
_QUALITY = 90
_ANIMATION_QUALITY = 80
_THUMBNAIL_QUALITIES = (80, 65, 50, 35)
_SHRINK = 0.75
"""A thumbnail that no quality makes small enough loses so much of its sides."""
_SHORTEST_FRAME_MS = 20
"""Frames with no time of their own get what browsers give them."""
_UNTIMED_FRAME_MS = 100


def make_thumbnail(content: bytes, name: str) -> Thumbnail:
    """Return a JPEG of at most `THUMBNAIL_BYTES`, its longest side `THUMBNAIL_SIDE` or less; of what can be shown."""
    with _opened(content, name) as picture:
        if _moves(picture):
            _need_short(picture, name)
        width, height = _size_as_seen(picture)
        small = _flat(_scaled(picture, limits.THUMBNAIL_SIDE))
    return Thumbnail(_small_jpeg(small), width, height)


def prepare(content: bytes, name: str) -> PreparedPicture:
    """Return what to send of a picture of our own."""
    kind = need_picture(content[:HEAD_BYTES], name)
    with _opened(content, name) as picture:
        orientation = _orientation(picture)
    try:
        bare = without_metadata(content, kind, orientation)
    except ContainerError as error:
        raise _damaged(name) from error
    return PreparedPicture(bare, kind, make_thumbnail(bare, name))


def cleaned(content: bytes, name: str, longest_side: int) -> CleanPicture:
    """Return a picture to show, no side longer than that: a still one or an animated WebP."""
    with _opened(content, name) as picture:
        if _moves(picture):
            return _cleaned_animation(picture, name, longest_side)
        return _cleaned_still(picture, content, longest_side)


def _cleaned_still(picture: Image.Image, content: bytes, longest_side: int) -> CleanPicture:
    source = PictureFormat(picture.format or "")
    still = _scaled(picture, longest_side)
    target = BytesIO()
    if source is PictureFormat.JPEG:
        _bare(still).save(target, "JPEG", quality=_QUALITY)
    elif source is PictureFormat.WEBP and b"VP8L" not in content[: 2 * HEAD_BYTES]:
        _bare(still).save(target, "WEBP", quality=_QUALITY, method=1)
    else:
        # Drawings and screenshots stay sharp.
        source = PictureFormat.PNG
        _bare(still).save(target, "PNG", compress_level=3)
    return CleanPicture(target.getvalue(), source, still.width, still.height, 1)


def _cleaned_animation(picture: Image.Image, name: str, longest_side: int) -> CleanPicture:
    count = _need_short(picture, name)
    # All frames are held at once while they are encoded: many of them have to be small.
    side = min(longest_side, _side_for(limits.ANIMATION_PIXELS_SHOWN / count, picture.width / picture.height))
    frames: list[Image.Image] = []
    durations: list[int] = []
    for number in range(count):
        picture.seek(number)
        frame = picture.convert("RGBA")
        # A GIF may grow with its frames; what is outside of the first is not seen anywhere.
        frame.thumbnail((side, side), Image.Resampling.BILINEAR)
        frames.append(frame if not frames else _same_size(frame, frames[0]))
        told = int(picture.info.get("duration", 0))
        durations.append(told if told >= _SHORTEST_FRAME_MS else _UNTIMED_FRAME_MS)
    target = BytesIO()
    first = frames[0]
    first.info = {}
    loops = int(picture.info.get("loop", 1 if picture.format == PictureFormat.GIF else 0))
    first.save(
        target,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=loops,
        quality=_ANIMATION_QUALITY,
        method=0,
    )
    return CleanPicture(target.getvalue(), PictureFormat.WEBP, first.width, first.height, count)


def _moves(picture: Image.Image) -> bool:
    return picture.format in {PictureFormat.GIF, PictureFormat.WEBP} and getattr(picture, "n_frames", 1) > 1


def _need_short(picture: Image.Image, name: str) -> int:
    """Return how many frames there are; raise Refusal if nobody would be shown so many."""
    count: int = getattr(picture, "n_frames", 1)
    if count > limits.PICTURE_FRAMES:
        raise Refusal(
            RefusalCode.TOO_LARGE,
            f"“{name}” has {count:,} frames; animations of up to {limits.PICTURE_FRAMES:,} are shown.",
        )
    if count * picture.width * picture.height > limits.ANIMATION_PIXELS_READ:
        raise _too_many_pixels(name, limits.ANIMATION_PIXELS_READ)
    return count


def _side_for(pixels: float, shape: float) -> int:
    """Return the longest side of a picture of that many pixels and that width : height."""
    ratio = max(shape, 1 / shape)
    return max(1, int((pixels * ratio) ** 0.5))


def _same_size(frame: Image.Image, like: Image.Image) -> Image.Image:
    return frame if frame.size == like.size else frame.resize(like.size)


# --- reading ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(content: bytes, name: str) -> Iterator[Image.Image]:
    """Open a picture of a known kind; whatever the decoder makes of its bytes becomes a Refusal."""
    kind = need_picture(content[:HEAD_BYTES], name)
    try:
        with Image.open(BytesIO(content), formats=[kind]) as picture:
            _need_few_pixels(picture, name)
            yield picture
    except Refusal:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(name, limits.PICTURE_PIXELS) from error
    except MemoryError as error:
        raise Refusal(RefusalCode.TOO_LARGE, f"“{name}” needs more memory than a picture may.") from error
    except (UnidentifiedImageError, Exception) as error:  # decoders raise anything on broken input
        raise _damaged(name) from error


def _need_few_pixels(picture: Image.Image, name: str) -> None:
    if picture.width * picture.height > limits.PICTURE_PIXELS:
        raise _too_many_pixels(name, limits.PICTURE_PIXELS)


def _too_many_pixels(name: str, most: int) -> Refusal:
    return Refusal(
        RefusalCode.TOO_LARGE, f"“{name}” has too many pixels; up to {most // 1_000_000} million of them are shown."
    )


def _damaged(name: str) -> Refusal:
    return Refusal(RefusalCode.DAMAGED_PICTURE, f"“{name}” is damaged and cannot be shown. Ask for it again.")


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF value; 1 (upright) where the metadata cannot be read."""
    try:
        told = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - foreign bytes in a foreign parser; the picture itself may be well
        return 1
    return told if isinstance(told, int) and 1 <= told <= 8 else 1


def _size_as_seen(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    return (height, width) if _orientation(picture) >= 5 else (width, height)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _scaled(picture: Image.Image, longest_side: int) -> Image.Image:
    """Return the first frame, upright, in sRGB, 8 bits a channel, no larger than asked for."""
    orientation = _orientation(picture)
    profile = picture.info.get("icc_profile")
    # A JPEG can be decoded at a half, a quarter or an eighth: cheaper than shrinking it afterwards.
    picture.draft(None, (longest_side, longest_side))
    picture.load()
    still = _eight_bits(picture)
    still.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if profile:
        still = _in_srgb(still, profile)
    if still.mode == "CMYK":
        still = still.convert("RGB")
    still = still.copy()  # no longer tied to the file
    turn = _TURNS.get(orientation)
    return still if turn is None else still.transpose(turn)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return it in L, RGB, RGBA or CMYK; itself where it is so already, since a large one has no room for a copy."""
    if picture.mode.startswith("I"):
        # Sixteen bits of grey: Pillow's own conversion clips instead of scaling.
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return picture if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")


def _in_srgb(still: Image.Image, profile: bytes) -> Image.Image:
    """Return the colours as its profile means them; as they are if the profile is no good."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        alpha = still.getchannel("A") if still.mode == "RGBA" else None
        plain = still.convert("RGB") if alpha else still
        turned = ImageCms.profileToProfile(plain, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if turned is None:
            return still
        if alpha:
            turned.putalpha(alpha)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return still
    return turned


# --- writing ---------------------------------------------------------------------------------------


def _bare(still: Image.Image) -> Image.Image:
    """Return it without what Pillow would write beside the pixels."""
    still.info = {}
    return still


def _flat(still: Image.Image) -> Image.Image:
    """Return it on white where it was transparent: JPEG has no transparency."""
    if still.mode != "RGBA":
        return still
    ground = Image.new("RGB", still.size, "white")
    ground.paste(still, mask=still.getchannel("A"))
    return ground


def _small_jpeg(still: Image.Image) -> bytes:
    while True:
        for quality in _THUMBNAIL_QUALITIES:
            target = BytesIO()
            _bare(still).save(target, "JPEG", quality=quality, optimize=True)
            if target.tell() <= THUMBNAIL_BYTES:
                return target.getvalue()
        still = still.resize((max(1, int(still.width * _SHRINK)), max(1, int(still.height * _SHRINK))))


# --- before the doors are shut ---------------------------------------------------------------------


def warm_up() -> None:
    """Decode and encode a tiny picture of each kind: Pillow imports its parts late, and later no file can be opened."""
    still = Image.new("RGBA", (4, 4), (200, 40, 40, 128))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    for mode, options in (
        ("RGB", {"format": "JPEG", "icc_profile": profile, "exif": exif}),
        ("CMYK", {"format": "JPEG"}),
        ("RGBA", {"format": "PNG", "icc_profile": profile, "exif": exif}),
        ("P", {"format": "GIF"}),
        ("P", {"format": "GIF", "save_all": True, "append_images": [Image.new("P", (4, 4), 1)]}),
        ("RGBA", {"format": "WEBP", "lossless": True}),
        ("RGB", {"format": "WEBP", "save_all": True, "append_images": [Image.new("RGB", (4, 4))]}),
    ):
        target = BytesIO()
        still.convert(mode).save(target, **options)
        prepare(target.getvalue(), "")
        cleaned(target.getvalue(), "", 2)
        with contextlib.suppress(Refusal):
            cleaned(target.getvalue()[:-12], "", 2)

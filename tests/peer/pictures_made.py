"""Pictures for the tests, good and hostile, made on the spot."""

import struct
import zlib
from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image, ImageCms

from peer.errors import RefusalCode

PLACE = b"GPS 48.2082 N"
SECRET = b"a secret camera"


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, (220, 20, 20))
    picture.paste((20, 20, 220), (size[0] // 2, 0, *size))
    return picture.convert(mode)


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = SECRET.decode()
    tags[0x8825] = {1: "N", 2: (48.0, 12.0, 29.5), 27: PLACE}
    return tags


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def frames(count: int, size: tuple[int, int] = (20, 12)) -> list[Image.Image]:
    """No two alike in a row, else the encoder makes one of them."""
    return [Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 40)) for number in range(count)]


def animation(kind: str, count: int = 5, **options: Any) -> bytes:
    first, *others = frames(count)
    return encoded(first, kind, save_all=True, append_images=others, duration=70, loop=0, **options)


def many_frames_gif(count: int) -> bytes:
    """A GIF of so many frames in a few bytes each."""
    one = encoded(Image.new("P", (1, 1)), "GIF")
    picture = one[one.index(b",") : -1]
    control = b"\x21\xf9\x04\x00\x05\x00\x00\x00"
    return one[: one.index(b",")] + (control + picture) * count + b";"


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def huge_png(side: int, rows: int = 0) -> bytes:
    """A PNG that says to be that large; with rows of nothing, which take no room when packed."""
    packed = zlib.compressobj(9)
    pixels = b"".join(packed.compress(bytes(side + 1)) for _ in range(rows)) + packed.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def text_bomb_png() -> bytes:
    """A small picture with a comment of 64 MB, packed to 64 kB."""
    comment = zlib.compress(bytes(64 * 2**20), 1)
    whole = encoded(halves(), "PNG")
    return whole[:33] + chunk(b"zTXt", b"Comment\x00\x00" + comment) + whole[33:]


def huge_webp() -> bytes:
    """An animation whose canvas alone is a gigabyte, with one tiny frame."""
    small = encoded(Image.new("RGB", (4, 4)), "WEBP", lossless=True)[12:]
    side = (16383 - 1).to_bytes(3, "little")
    frame = bytes(6) + (3).to_bytes(3, "little") * 2 + (100).to_bytes(3, "little") + b"\x00" + small
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\x00\x00\x00" + side + side
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * 2
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


class Bad(NamedTuple):
    """Something that nobody can be shown as a picture, and what is said of it."""

    what: str
    content: bytes
    code: RefusalCode
    says: str


_PNG, _JPEG = encoded(halves(), "PNG"), encoded(halves(), "JPEG", quality=95)
BAD = (
    Bad("nothing", b"", RefusalCode.UNSUPPORTED_PICTURE, "is empty"),
    Bad("words", b"just words", RefusalCode.UNSUPPORTED_PICTURE, "is no picture"),
    Bad("TIFF", encoded(halves(), "TIFF"), RefusalCode.UNSUPPORTED_PICTURE, "is a TIFF picture"),
    Bad("BMP", encoded(halves(), "BMP"), RefusalCode.UNSUPPORTED_PICTURE, "is a BMP picture"),
    Bad("SVG", b'<?xml version="1.0"?><svg onload="x"/>', RefusalCode.UNSUPPORTED_PICTURE, "is an SVG drawing"),
    Bad("PDF", b"%PDF-1.7", RefusalCode.UNSUPPORTED_PICTURE, "is a PDF document"),
    Bad("HEIC", b"\x00\x00\x00\x18ftypheic", RefusalCode.UNSUPPORTED_PICTURE, "HEIC"),
    Bad("program", b"MZ\x90\x00", RefusalCode.UNSUPPORTED_PICTURE, "is a Windows program"),
    Bad("100,000 x 100,000", huge_png(100_000), RefusalCode.TOO_LARGE, "too many pixels"),
    Bad("a canvas of a gigabyte", huge_webp(), RefusalCode.TOO_LARGE, "too many pixels"),
    Bad("10,000 frames", many_frames_gif(10_000), RefusalCode.TOO_LARGE, "10,000 frames"),
    Bad("a PNG cut off", _PNG[:-30], RefusalCode.DAMAGED_PICTURE, "is damaged"),
    Bad("a JPEG cut off", _JPEG[:400], RefusalCode.DAMAGED_PICTURE, "is damaged"),
    Bad("the head of a JPEG", b"\xff\xd8\xff\xe0" + bytes(500), RefusalCode.DAMAGED_PICTURE, "is damaged"),
    Bad("the head of a GIF", b"GIF89a" + bytes(30), RefusalCode.DAMAGED_PICTURE, "is damaged"),
    Bad("the head of a WebP", b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(30), RefusalCode.DAMAGED_PICTURE, "is damaged"),
)

"""Pictures for the tests, good and hostile, made on the spot."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

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

"""Takes out of a picture's file what is no picture, without touching a pixel: where, when and with what it was taken.

What is kept beside the pixels is what they look wrong without: how to turn them, and their colour space. Everything
after the picture's own end goes too. The containers: JPEG (ITU-T T.81, annex B), PNG (W3C, third edition), GIF89a,
WebP (RFC 9649).
"""

import re
import struct
from collections.abc import Iterator

from peer.pictures.formats import PictureFormat


class ContainerError(ValueError):
    """The file is not built as its kind has to be."""


def without_metadata(content: bytes, kind: PictureFormat, orientation: int = 1) -> bytes:
    """Return the same picture, as the bytes of a file of the same kind; raise ContainerError.

    `orientation` is the EXIF value 1..8 that is written into the file; 1 is upright and is left out.
    """
    parts = {
        PictureFormat.JPEG: _jpeg,
        PictureFormat.PNG: _png,
        PictureFormat.GIF: _gif,
        PictureFormat.WEBP: _webp,
    }[kind]
    try:
        return b"".join(parts(content, _exif(orientation) if 2 <= orientation <= 8 else b""))
    except (struct.error, IndexError) as error:
        raise ContainerError("the file ends early") from error


def _exif(orientation: int) -> bytes:
    """Return a TIFF structure with the one tag that says how to turn the picture."""
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


# --- JPEG ----------------------------------------------------------------------------------------

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Among the pixels 0xFF stands only before 0 and the restart markers."""


def _jpeg(content: bytes, exif: bytes) -> Iterator[bytes]:
    if not content.startswith(b"\xff\xd8"):
        raise ContainerError("no JPEG")
    yield content[:2]
    if exif:
        yield struct.pack(">BBH", 0xFF, _APP1, len(exif) + 8) + b"Exif\x00\x00" + exif
    at = 2
    while True:
        marker = content[at + 1]
        if marker == _EOI:
            yield content[at : at + 2]
            return
        end = _end_of_segment(content, at)
        if _is_kept(marker, content[at + 4 : at + 16]):
            yield content[at:end]
        at = end
        while content[at : at + 2] == b"\xff\xff":
            at += 1


def _end_of_segment(content: bytes, at: int) -> int:
    """Return where what begins with the marker at a place ends; with the pixels, if they follow it."""
    if _NEXT_MARKER.match(content, at) is None:
        raise ContainerError("a marker is missing")
    end: int = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
    if content[at + 1] == _SOS:
        following = _NEXT_MARKER.search(content, end)
        end = following.start() if following is not None else len(content) + 1
    if end > len(content):
        raise ContainerError("a segment ends early")
    return end


def _is_kept(marker: int, start: bytes) -> bool:
    if marker == _APP2:
        return start.startswith(b"ICC_PROFILE\x00")
    if marker == _APP14:
        return start.startswith(b"Adobe")  # tells how the colours are stored
    return not (_APP0 <= marker <= _APP15 or marker == _COMMENT)


# --- PNG -----------------------------------------------------------------------------------------

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD"}
    | {b"acTL", b"fcTL", b"fdAT"}  # animation
)


def _png(content: bytes, exif: bytes) -> Iterator[bytes]:
    import zlib

    if not content.startswith(_PNG_HEAD):
        raise ContainerError("no PNG")
    yield _PNG_HEAD
    at = len(_PNG_HEAD)
    while True:
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise ContainerError("a chunk ends early")
        if name in _PNG_KEPT:
            yield content[at:end]
        if name == b"IHDR" and exif:
            body = b"eXIf" + exif
            yield struct.pack(">I", len(exif)) + body + struct.pack(">I", zlib.crc32(body))
        if name == b"IEND":
            return
        at = end


# --- GIF -----------------------------------------------------------------------------------------

_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
"""The application extensions that say how often an animation is played."""


def _gif(content: bytes, _exif: bytes) -> Iterator[bytes]:
    if not content.startswith((b"GIF87a", b"GIF89a")):
        raise ContainerError("no GIF")
    at = 13 + _colour_table_bytes(content[10])
    yield content[:at]
    while True:
        introducer, start = content[at], at
        if introducer == 0x3B:
            yield b"\x3b"
            return
        if introducer == 0x2C:
            at = _after_blocks(content, at + 11 + _colour_table_bytes(content[at + 9]))
            yield content[start:at]
        elif introducer == 0x21:
            label = content[at + 1]
            at = _after_blocks(content, at + 2)
            if label == 0xF9 or (label == 0xFF and content[start + 3 : start + 14] in _LOOPS):
                yield content[start:at]
        else:
            raise ContainerError("an unknown block")


def _colour_table_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    """Return where a row of sub-blocks has ended."""
    while content[at]:
        at += 1 + content[at]
    return at + 1


# --- WebP ----------------------------------------------------------------------------------------

_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"ICCP", b"ALPH", b"ANIM", b"ANMF"})
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def _webp(content: bytes, exif: bytes) -> Iterator[bytes]:
    if not (content.startswith(b"RIFF") and content[8:12] == b"WEBP"):
        raise ContainerError("no WebP")
    whole = 8 + struct.unpack_from("<I", content, 4)[0]
    if whole > len(content):
        raise ContainerError("the file ends early")
    kept: list[bytes] = []
    at = 12
    is_extended = False
    while at + 8 <= whole:
        name, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length + (length & 1)
        if end > whole:
            raise ContainerError("a chunk ends early")
        if name == b"VP8X":
            is_extended = True
            flags = content[at + 8] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if exif else 0)
            kept.append(content[at : at + 8] + bytes([flags]) + content[at + 9 : end])
        elif name in _WEBP_KEPT:
            kept.append(content[at:end])
        at = end
    if exif and is_extended:  # the simple form holds no metadata at all
        kept.append(struct.pack("<4sI", b"EXIF", len(exif)) + exif)
    body = b"".join(kept)
    yield struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP")
    yield body

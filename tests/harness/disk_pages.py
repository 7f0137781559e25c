"""Looks into a profile's database as somebody would who has the key and reads every page, free ones too."""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_PAGE, _RESERVED, _IV, _SALT = 4096, 80, 16, 16
_LOG_HEADER, _FRAME_HEADER = 32, 24


def pages_of(database: Path, key: bytes) -> bytes:
    """Return what the pages of a SQLCipher file and of its write-ahead log decrypt to, one after the other."""
    content = database.read_bytes()
    pages = [content[start : start + _PAGE] for start in range(0, len(content), _PAGE)]
    log = database.with_name(database.name + "-wal")
    if log.exists():
        frames = log.read_bytes()[_LOG_HEADER:]
        step = _FRAME_HEADER + _PAGE
        pages += [frames[start + _FRAME_HEADER : start + step] for start in range(0, len(frames), step)]
    return b"".join(_decrypted(page, key, is_first=page[:_SALT] == content[:_SALT]) for page in pages)


def _decrypted(page: bytes, key: bytes, *, is_first: bool) -> bytes:
    end = _PAGE - _RESERVED
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(page[end : end + _IV])).decryptor()
    return decryptor.update(page[_SALT if is_first else 0 : end]) + decryptor.finalize()

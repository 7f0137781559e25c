"""Sealing of secrets at rest: AES-256-GCM, with what must not change beside it."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


def seal(key: bytes, nonce: bytes, secret: bytes, beside: bytes) -> bytes:
    """Return `secret` sealed and bound to `beside`; a nonce (12 bytes) serves once with a key (32 bytes)."""
    return AESGCM(key).encrypt(nonce, secret, beside)


def open_sealed(key: bytes, nonce: bytes, sealed: bytes, beside: bytes) -> bytes | None:
    """Return what was sealed, or None if the key is another one or a single bit was changed."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, beside)
    except InvalidTag:
        return None

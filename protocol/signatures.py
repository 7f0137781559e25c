"""Ed25519 signatures that are good for one purpose in one realm only."""

from enum import Enum
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from protocol.identity import DeviceId, PublicKey, Realm

SIGNATURE_BYTES = 64


class Purpose(Enum):
    """What a signature is for: one made for a login can never pass as one under a message."""

    ENTRY = b"hail entry 1\0"
    LOGIN = b"hail login 1\0"
    DEVICE_LIST = b"hail device list 1\0"
    STATEMENT = b"hail statement 1\0"


class SigningKey:
    """A private key that signs and never shows itself, but for the two PEM forms that Python's ssl needs."""

    def __init__(self, seed: bytes) -> None:
        """Take 32 random bytes, from which the key is made; they are the key."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.device = DeviceId.of_key(self.public)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read back what `pem(None)` gave; raise ValueError for anything else."""
        try:
            key = load_pem_private_key(pem, None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("the key is sealed, or of a kind that is not known") from error
        if isinstance(key, Ed25519PrivateKey):
            return cls(key.private_bytes_raw())
        raise ValueError("the key is not Ed25519")

    def sign(self, purpose: Purpose, realm: Realm, payload: bytes) -> bytes:
        """Return 64 bytes that prove: this key said `payload` for `purpose` in `realm`."""
        return self._key.sign(purpose.value + realm + payload)

    def pem(self, passphrase: bytes | None) -> bytes:
        """Return the key as PKCS8 PEM, sealed with a passphrase unless None (then the caller guards the file)."""
        sealing = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)

    @property
    def crypto_key(self) -> Ed25519PrivateKey:
        """The library's key object, for `certificates.py` alone."""
        return self._key


def is_signed_by(key: PublicKey, purpose: Purpose, realm: Realm, payload: bytes, signature: bytes) -> bool:
    """Tell whether `signature` was made by the holder of `key` for exactly this purpose, realm and payload."""
    try:
        _loaded(key).verify(signature, purpose.value + realm + payload)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _loaded(key: PublicKey) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)

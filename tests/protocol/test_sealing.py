"""What is sealed opens with its key beside its label, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.sealing import KEY_BYTES, NONCE_BYTES, open_sealed, seal

KEY, NONCE = b"k" * KEY_BYTES, b"n" * NONCE_BYTES


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_a_secret_comes_back(secret: bytes, beside: bytes) -> None:
    assert open_sealed(KEY, NONCE, seal(KEY, NONCE, secret, beside), beside) == secret


def test_another_key_nonce_or_label_opens_nothing() -> None:
    sealed = seal(KEY, NONCE, b"secret", b"label")
    assert open_sealed(b"x" * KEY_BYTES, NONCE, sealed, b"label") is None
    assert open_sealed(KEY, b"x" * NONCE_BYTES, sealed, b"label") is None
    assert open_sealed(KEY, NONCE, sealed, b"another label") is None


@pytest.mark.parametrize("place", range(len(b"secret") + 16))
def test_one_changed_byte_opens_nothing(place: int) -> None:
    sealed = bytearray(seal(KEY, NONCE, b"secret", b""))
    sealed[place] ^= 1
    assert open_sealed(KEY, NONCE, bytes(sealed), b"") is None


@given(st.binary(max_size=60))
def test_garbage_opens_nothing(garbage: bytes) -> None:
    assert open_sealed(KEY, NONCE, garbage, b"") is None

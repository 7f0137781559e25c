"""A signature is good for one purpose in one realm, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.identity import DeviceId, PublicKey
from protocol.locator_messages import login_challenge
from protocol.signatures import SIGNATURE_BYTES, Purpose, SigningKey, is_signed_by
from tests.protocol.realms import ANN, ANN_KEY, BOB, BOB_KEY, LOCATOR_DER, OTHER_REALM, REALM

SIGNED = ANN_KEY.sign(Purpose.ENTRY, REALM, b"payload")


def test_a_signature_holds_for_what_was_signed() -> None:
    assert len(SIGNED) == SIGNATURE_BYTES
    assert is_signed_by(ANN_KEY.public, Purpose.ENTRY, REALM, b"payload", SIGNED)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.ENTRY])
def test_a_signature_holds_for_no_other_purpose(purpose: Purpose) -> None:
    assert not is_signed_by(ANN_KEY.public, purpose, REALM, b"payload", SIGNED)


def test_a_signature_holds_in_no_other_realm() -> None:
    assert not is_signed_by(ANN_KEY.public, Purpose.ENTRY, OTHER_REALM, b"payload", SIGNED)


def test_a_signature_holds_for_no_other_payload_and_no_other_key() -> None:
    assert not is_signed_by(ANN_KEY.public, Purpose.ENTRY, REALM, b"payloae", SIGNED)
    assert not is_signed_by(BOB_KEY.public, Purpose.ENTRY, REALM, b"payload", SIGNED)


def test_no_purpose_is_the_beginning_of_another() -> None:
    values = [purpose.value for purpose in Purpose]
    assert not [(a, b) for a in values for b in values if a is not b and a.startswith(b)]


@given(st.binary(max_size=80))
def test_garbage_is_no_signature(garbage: bytes) -> None:
    assert not is_signed_by(ANN_KEY.public, Purpose.ENTRY, REALM, b"payload", garbage)


@given(st.binary(min_size=32, max_size=32))
def test_garbage_is_no_key_that_signed_it(garbage: bytes) -> None:
    assert not is_signed_by(PublicKey(garbage), Purpose.ENTRY, REALM, b"payload", SIGNED)


def test_a_key_is_named_after_its_public_half() -> None:
    assert ANN_KEY.device == DeviceId.of_key(ANN_KEY.public)


def test_a_key_comes_back_from_its_pem() -> None:
    assert SigningKey.from_pem(ANN_KEY.pem(None)).public == ANN_KEY.public


@pytest.mark.parametrize("pem", [b"", b"junk", ANN_KEY.pem(b"a passphrase")])
def test_a_pem_that_cannot_be_read_is_a_value_error(pem: bytes) -> None:
    with pytest.raises(ValueError):
        SigningKey.from_pem(pem)


def test_a_login_is_bound_to_the_nonce_the_locator_and_the_user() -> None:
    challenges = {
        login_challenge(nonce, certificate, user)
        for nonce in (bytes(32), b"1" * 32)
        for certificate in (LOCATOR_DER, b"another locator's")
        for user in (ANN, BOB)
    }
    assert len(challenges) == 8

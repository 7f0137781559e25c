"""Only the authority says which devices speak for a user."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.device_lists import DeviceList, SignedDeviceList, open_device_list, sign_device_list
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, UserId
from protocol.signatures import Purpose
from tests.protocol.realms import ANN, ANN_KEY, AUTHORITY, OTHER_AUTHORITY, OTHER_REALM, REALM
from tests.protocol.strategies import values_of

LIST = DeviceList(ANN, 3, (ANN_KEY.device,))
SIGNED = sign_device_list(AUTHORITY, REALM, LIST)


def test_a_list_comes_back_as_it_was_signed() -> None:
    assert open_device_list(AUTHORITY.public, REALM, SIGNED) == LIST


def test_an_empty_list_shuts_every_device_out() -> None:
    empty = sign_device_list(AUTHORITY, REALM, DeviceList(ANN, 4, ()))
    assert open_device_list(AUTHORITY.public, REALM, empty).devices == ()


@given(values_of(DeviceList))
def test_any_list_comes_back(devices: DeviceList) -> None:
    assert open_device_list(AUTHORITY.public, REALM, sign_device_list(AUTHORITY, REALM, devices)) == devices


def test_a_list_of_another_authority_or_realm_is_refused() -> None:
    for key, realm in ((OTHER_AUTHORITY.public, REALM), (AUTHORITY.public, OTHER_REALM)):
        with pytest.raises(RemoteProtocolError, match="did not sign"):
            open_device_list(key, realm, SIGNED)


def test_a_list_that_a_user_signed_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="did not sign"):
        open_device_list(AUTHORITY.public, REALM, sign_device_list(ANN_KEY, REALM, LIST))


@given(st.integers(0, len(SIGNED.payload) - 1), st.integers(1, 255))
def test_a_list_with_a_changed_byte_is_refused(place: int, change: int) -> None:
    payload = bytearray(SIGNED.payload)
    payload[place] ^= change
    with pytest.raises(RemoteProtocolError):
        open_device_list(AUTHORITY.public, REALM, SignedDeviceList(bytes(payload), SIGNED.signature))


@given(st.binary(max_size=60))
def test_garbage_is_refused_even_when_the_authority_signed_it(garbage: bytes) -> None:
    for payload in (garbage, b"\x93" + garbage, b"\x91" * 900 + garbage, b"\x93\xa2\xff\xfe\x00\x90"):
        signed = SignedDeviceList(payload, AUTHORITY.sign(Purpose.DEVICE_LIST, REALM, payload))
        with pytest.raises(RemoteProtocolError):
            open_device_list(AUTHORITY.public, REALM, signed)


def test_the_longest_honest_list_fits_its_limit() -> None:
    devices = tuple(DeviceId(bytes([n]) * 32) for n in range(limits.DEVICES_PER_USER))
    signed = sign_device_list(AUTHORITY, REALM, DeviceList(UserId("x" * 32), limits.LARGEST_NUMBER, devices))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(signed), type=SignedDeviceList) == signed

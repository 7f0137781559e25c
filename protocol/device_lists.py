"""Which devices speak for a user now: a numbered list, signed by the realm's authority.

Peers keep the highest number they saw and close links with devices that are not on it. That is how a stolen
or disabled device is shut out, although its certificate is still in date.
"""

from typing import Annotated

import msgspec

from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, PublicKey, Realm, UserId, from_builtin, to_builtin
from protocol.signatures import SIGNATURE_BYTES, Purpose, SigningKey, is_signed_by


class DeviceList(msgspec.Struct, frozen=True, array_like=True):
    """The devices valid for a user, and how many lists came before this one."""

    user: UserId
    number: Annotated[int, msgspec.Meta(ge=0, le=limits.LARGEST_NUMBER)]
    devices: Annotated[tuple[DeviceId, ...], msgspec.Meta(max_length=limits.DEVICES_PER_USER)]


class SignedDeviceList(msgspec.Struct, frozen=True, array_like=True):
    """A device list as it travels and is kept: the bytes that were signed, and the signature."""

    payload: Annotated[bytes, msgspec.Meta(max_length=1024)]
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


_DECODER = msgspec.msgpack.Decoder(DeviceList, dec_hook=from_builtin)


def sign_device_list(authority: SigningKey, realm: Realm, devices: DeviceList) -> SignedDeviceList:
    """Seal a list with the authority's key."""
    payload = msgspec.msgpack.encode(devices, enc_hook=to_builtin)
    return SignedDeviceList(payload, authority.sign(Purpose.DEVICE_LIST, realm, payload))


def open_device_list(authority_key: PublicKey, realm: Realm, signed: SignedDeviceList) -> DeviceList:
    """Return the list; raise RemoteProtocolError unless the authority signed exactly these bytes."""
    if not is_signed_by(authority_key, Purpose.DEVICE_LIST, realm, signed.payload, signed.signature):
        raise RemoteProtocolError("a device list that this realm's authority did not sign")
    try:
        return _DECODER.decode(signed.payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise RemoteProtocolError("malformed device list") from error

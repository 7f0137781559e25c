"""What a locator says of itself on the local network (DNS-SD, RFC 6763): pure, the socket work is elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.identity import Realm, clean_display_name

SERVICE_TYPE = "_hail-locator._tcp.local."
_FINGERPRINT, _NAME, _HOST = b"fingerprint", b"name", b"host"


@dataclass(frozen=True, slots=True)
class Announcement:
    """The TXT record of one locator; address and port stand in the records beside it."""

    realm: Realm
    name: str
    """For people; empty where nobody can read what was sent."""
    host: str | None = None
    """A host's name to dial instead of the announced address: a certificate or a router may ask for it."""

    @property
    def instance(self) -> str:
        """The service's own name: hosts may share a name, so it is made of the fingerprint."""
        return f"hail-{self.realm.hex()[:16]}.{SERVICE_TYPE}"


def encode_announcement(announcement: Announcement) -> dict[bytes, bytes]:
    """Return the pairs of the TXT record."""
    pairs = {_FINGERPRINT: announcement.realm.hex().encode(), _NAME: announcement.name.encode()}
    if announcement.host is not None:
        pairs[_HOST] = announcement.host.encode()
    return pairs


def decode_announcement(pairs: Mapping[bytes, bytes | None]) -> Announcement:
    """Read what anybody on the network may have sent; raise RemoteProtocolError where no fingerprint can be read."""
    try:
        realm = Realm.from_hex((pairs.get(_FINGERPRINT) or b"").decode("ascii"))
    except ValueError:
        raise RemoteProtocolError("an announcement without a fingerprint") from None
    host = (pairs.get(_HOST) or b"")[: limits.HOST_LENGTH].decode("ascii", "ignore")
    return Announcement(realm, clean_locator_name((pairs.get(_NAME) or b"").decode("utf-8", "replace")), host or None)


def clean_locator_name(text: str) -> str:
    """Return a name for one line, cut where it is too long; empty where nothing of it can be seen."""
    try:
        return clean_display_name(text[: limits.DISPLAY_NAME_LENGTH])
    except ValueError:
        return ""

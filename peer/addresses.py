"""A locator's address as people write it: `host:port`, or `hail://host:port#fingerprint`."""

import ipaddress
import re
from dataclasses import dataclass

from peer.errors import Refusal, RefusalCode
from protocol.identity import Realm

DEFAULT_LOCATOR_PORT = 7400
_LABEL = r"[A-Za-z0-9-]{1,63}"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?")
"""Names that can be asked for at all: the resolver fails on an empty or overlong label."""


@dataclass(frozen=True, slots=True)
class LocatorAddress:
    """Where a locator is, and who must answer there (None: whoever was pinned, or the first one seen)."""

    host: str
    port: int
    realm: Realm | None

    @property
    def place(self) -> str:
        """`host:port`, the name under which an authority is pinned."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def link(self, realm: Realm) -> str:
        """Return the link to hand out."""
        return f"hail://{self.place}#{realm.hex()}"


def parse_locator_address(typed: str) -> LocatorAddress:
    """Read what a person typed or pasted; raise Refusal `bad_address`."""
    text = typed.strip()
    text = text[len("hail://") :] if text.lower().startswith("hail://") else text
    place, has_fingerprint, fingerprint = text.partition("#")
    place = place.rstrip("/")
    host, has_port, port = place.rpartition(":") if re.search(r":[0-9]*\Z", place) else (place, "", "")
    try:
        number = int(port) if has_port else DEFAULT_LOCATOR_PORT
        realm = Realm.from_hex(fingerprint) if has_fingerprint else None
    except ValueError:
        number, realm = 0, None
    if not is_host(host) or not 0 < number < 65536 or (has_fingerprint and realm is None):
        raise Refusal(
            RefusalCode.BAD_ADDRESS,
            "That is no locator's address. Write host:port, or paste the hail:// link you were given.",
        )
    return LocatorAddress(host.strip("[]").lower(), number, realm)


def is_host(host: str) -> bool:
    """Tell whether a resolver can be asked for this name or address; IPv6 in brackets."""
    if not (host.startswith("[") and host.endswith("]")):
        return _NAME.fullmatch(host) is not None
    try:
        return ipaddress.IPv6Address(host[1:-1]).scope_id is None
    except ValueError:
        return False

"""What is known of an account beside its people and conversations: a few single things, kept in its database."""

import logging
from dataclasses import dataclass

from peer.entries.intake import renew_incarnations
from peer.storage.database import Connection
from peer.storage.settings import get_setting, put_setting
from peer.surroundings import Surroundings
from protocol.locator_messages import Endpoint

log = logging.getLogger(__name__)


@dataclass(slots=True)
class AccountFacts:
    """The device's certificate and session, and the ports at which it was last."""

    authority: bytes
    certificate: bytes
    name: str
    session: int
    listen_port: int
    voice_port: int

    @classmethod
    def read(cls, connection: Connection) -> "AccountFacts":
        """Read what `write` wrote."""

        def number(key: str) -> int:
            return int.from_bytes(get_setting(connection, key) or b"", "big")

        return cls(
            authority=get_setting(connection, "authority") or b"",
            certificate=get_setting(connection, "certificate") or b"",
            name=(get_setting(connection, "name") or b"").decode(),
            session=number("session"),
            listen_port=number("listen_port"),
            voice_port=number("voice_port"),
        )

    def write(self, connection: Connection) -> None:
        """Keep everything."""
        put_setting(connection, "authority", self.authority)
        put_setting(connection, "certificate", self.certificate)
        put_setting(connection, "name", self.name.encode())
        put_setting(connection, "session", self.session.to_bytes(8, "big"))
        put_setting(connection, "listen_port", self.listen_port.to_bytes(2, "big"))
        put_setting(connection, "voice_port", self.voice_port.to_bytes(2, "big"))

    def endpoint(self, surroundings: Surroundings) -> Endpoint:
        """Return where this node can be reached."""
        return Endpoint(self.listen_port, self.voice_port, surroundings.wire.addresses())

    def settle(self, connection: Connection, mark: bytes) -> None:
        """Keep them; a profile that is not where it was last (`mark`) is a copy, and must not write a number twice."""
        known = get_setting(connection, "home")
        if known is not None and known != mark:
            log.warning("this profile was copied or restored: its feeds begin anew")
            renew_incarnations(connection)
        put_setting(connection, "home", mark)
        self.write(connection)

"""Where the shared store is, as the operator writes it: an address that may hold a password, and never shows it."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

DEFAULT_PORT = 6379
_OPTIONS = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
"""What may stand behind a question mark: files for TLS, as the client library names them."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, or `rediss://` for TLS; what is printed of it is host and port."""

    url: str = field(repr=False)
    """All of it; for the client library alone."""
    place: str

    @classmethod
    def parse(cls, text: str) -> "RedisAddress":
        """Read an address; raise ValueError, in words that repeat nothing of it."""
        form = "it is embedded, redis://HOST:PORT/DB or rediss://HOST:PORT/DB"
        try:
            parts = urlsplit(text)
            port = DEFAULT_PORT if parts.port is None else parts.port
        except ValueError:
            raise ValueError(form) from None
        database = parts.path.removeprefix("/")
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.fragment:
            raise ValueError(form)
        if database and not (database.isascii() and database.isdigit()):
            raise ValueError("the database behind HOST:PORT/ is a number")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not options.keys() <= _OPTIONS or (options and parts.scheme == "redis"):
            raise ValueError("behind ? it takes, for rediss:// only, " + ", ".join(sorted(_OPTIONS)))
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(text, f"{host}:{port}")

    def __str__(self) -> str:
        return f"Redis at {self.place}"

"""The settings of a locator: flags, then HAIL_LOCATOR_* variables, then a TOML file, then defaults."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import platformdirs

from locator.event_log import LogFormat, LogLevel
from locator.own_address import address_of_this_machine
from locator.stores.redis_address import RedisAddress

ENVIRONMENT_PREFIX = "HAIL_LOCATOR_"
DEFAULT_LISTEN = "0.0.0.0:7400"
_MAY_HOLD_SECRETS = frozenset({"store"})
"""Settings that are not repeated in a complaint."""
T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


class ConfigurationError(Exception):
    """A setting nobody can work with; the sentence says which, where it came from, and what would do."""


class Registration(StrEnum):
    """Who may make an account: everybody, or only the operator."""

    OPEN = "open"
    CLOSED = "closed"


class Place(NamedTuple):
    """A host and a port; an IPv6 address has its brackets on the outside only."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a person can choose about a locator."""

    data: Path
    """The folder with accounts, authority and port."""
    listen: Place
    """Where it accepts connections; port 0 means any free one."""
    public: str | None
    """HOST or HOST:PORT under which others reach it, where that differs from `listen`."""
    course_port: Place | None
    """Where it takes the course's plain text, unencrypted; None: nowhere."""
    registration: Registration
    announce: bool
    """Whether peers on the local network find it by themselves."""
    store: RedisAddress | None
    """Where several locators share their accounts; None: embedded, in the data folder."""
    authority: Path | None
    """The file with the authority's key and certificate; None: the one in the data folder."""
    metrics: Place | None
    """Where its figures can be read by Prometheus; None: nowhere."""
    log_format: LogFormat
    log_level: LogLevel


def read_settings(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """Bring all sources together; raise ConfigurationError. `flags` names the settings as the fields do."""
    config = flags.get("config") or environment.get(ENVIRONMENT_PREFIX + "CONFIG")
    file = {} if config is None else _read_file(Path(config))

    def choose(name: str, read: Callable[[str], T], default: T) -> T:
        sources = (
            (f"--{name.replace('_', '-')}", flags.get(name)),
            (ENVIRONMENT_PREFIX + name.upper(), environment.get(ENVIRONMENT_PREFIX + name.upper())),
            (f"{name} in {config}", file.get(name)),
        )
        for source, text in sources:
            if text is not None:
                try:
                    return read(text)
                except ValueError as error:
                    told = f"{source} is wrong" if name in _MAY_HOLD_SECRETS else f"{source} cannot be {text!r}"
                    raise ConfigurationError(f"{told}: {error}.") from None
        return default

    return Settings(
        data=choose("data", _read_path, platformdirs.user_data_path("hail-locator", appauthor=False)),
        listen=choose("listen", read_place, read_place(DEFAULT_LISTEN)),
        public=choose("public", _read_public, None),
        course_port=choose("course_port", _read_course_place, None),
        registration=choose("registration", partial(_read_word, Registration), Registration.OPEN),
        announce=choose("announce", _read_switch, default=True),
        store=choose("store", _read_store, None),
        authority=choose("authority", _read_file_path, None),
        metrics=choose("metrics", read_place, None),
        log_format=choose("log_format", partial(_read_word, LogFormat), LogFormat.LOGFMT),
        log_level=choose("log_level", partial(_read_word, LogLevel), LogLevel.INFO),
    )


def read_place(text: str) -> Place:
    """Read HOST:PORT, an IPv6 address in brackets; raise ValueError."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets, as in [::1]:7400")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("it has the form HOST:PORT, the port from 0 to 65535")
    return Place(host, int(port))


def public_place(settings: Settings, port: int) -> Place:
    """Return what others are told: --public, else the listen address, else this machine's first real address."""
    if settings.public is not None:
        return _with_port(settings.public, port)
    if settings.listen.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return Place(address_of_this_machine(ipv6=settings.listen.host == "::"), port)
    return Place(settings.listen.host, port)


def _read_file(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # both not TOML and not UTF-8
        raise ConfigurationError(f"The settings file {path} is not valid TOML: {error}.") from None
    names = tuple(field.name for field in fields(Settings))
    for name, value in content.items():
        if name not in names:
            raise ConfigurationError(f"{path} has an unknown setting {name!r}; it may have {', '.join(names)}.")
        if name == "announce" and isinstance(value, bool):
            content[name] = "on" if value else "off"
        elif not isinstance(value, str):
            raise ConfigurationError(f"{name} in {path} must be text in quotation marks.")
    return content


def _read_path(text: str) -> Path:
    if not text:
        raise ValueError("it names a folder")
    return Path(text).expanduser()


def _read_public(text: str) -> str | None:
    _with_port(text, 0)
    return text


def _read_course_place(text: str) -> Place | None:
    place = read_place(text)
    if ":" in place.host:
        raise ValueError("the course's clients speak IPv4 only")
    return place


def _read_store(text: str) -> RedisAddress | None:
    return None if text == "embedded" else RedisAddress.parse(text)


def _read_file_path(text: str) -> Path:
    if not text:
        raise ValueError("it names a file")
    return Path(text).expanduser()


def _read_word(words: type[Word], text: str) -> Word:
    try:
        return words(text)
    except ValueError:
        raise ValueError(f"it is {' or '.join(words)}") from None


def _read_switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("it is on or off")
    return text == "on"


def _with_port(text: str, port: int) -> Place:
    """Read HOST or HOST:PORT."""
    is_bare = ":" not in text or (text.startswith("[") and text.endswith("]"))
    place = read_place(f"{text}:{port}" if is_bare else text)
    if any(c.isspace() or c in "/#@" for c in place.host):
        raise ValueError("it is a host's name or address, with a port if that differs")
    return place

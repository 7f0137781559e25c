"""What the driver notes of its own work: counted for the metrics, and told in the log where a person may ask about it.

It looks at the requests that come and at the answers that go, so that what decides (`requests.py`) need not know of it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from locator import limits
from locator.event_log import Fact, tell
from locator.figures import Figures
from locator.stores.interface import Store, StoreFailedError
from protocol.errors import RefusalCode
from protocol.identity import UserId
from protocol.locator_messages import (
    Done,
    LoggedIn,
    LogIn,
    LogInByKey,
    LogOut,
    Moved,
    PasswordChanged,
    Refused,
    Register,
    Superseded,
)
from protocol.registry import Message

log = logging.getLogger("locator.events")
_HOW: dict[type[Message], str] = {Register: "registration", LogIn: "password", LogInByKey: "key"}
_Login = Register | LogIn | LogInByKey
WORTH_A_NOTE = frozenset({LoggedIn, Refused, Superseded, PasswordChanged, Done, Moved})
"""Messages whose sending is to be noted; the answers to look-ups, which are most, are not worth a call."""


@dataclass(slots=True)
class Trail:
    """What has to be known of a connection to tell what happens on it."""

    address: str = ""
    asked: type[Message] = Message
    """The request that is being answered."""
    asked_at: float = 0.0
    """When the last login was asked for (monotonic)."""
    user: UserId | None = None
    """Who tries to log in, or has."""

    @property
    def about(self) -> dict[str, object]:
        """What a line of the log that is no event is to say of it."""
        return {"address": self.address}


class Observer:
    """Counts and tells."""

    def __init__(self, figures: Figures, store: Store, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self.figures = figures
        self._clock = clock
        self._store = store

    def asked(self, trail: Trail, request: Message) -> None:
        """A request came."""
        kind = trail.asked = type(request)
        self.figures.requests[kind] += 1
        if kind in _HOW:
            trail.user, trail.asked_at = cast("_Login", request).user, self._clock()

    def sends(self, trail: Trail, message: Message) -> None:
        """A message worth a note goes out."""
        match message:
            case LoggedIn():
                self._logged_in(trail, message)
            case Refused():
                self._refused(trail, RefusalCode.from_wire(message.code))
            case Superseded():
                self.figures.superseded += 1
                self._tell(trail, "taken_over", by_session=message.session)
            case PasswordChanged():
                self._tell(trail, "password_changed")
            case Done() if trail.asked is LogOut:
                self._tell(trail, "logged_out")
                trail.user = None
            case Moved():
                self.figures.told += 1

    def connected(self) -> None:
        """A connection was greeted."""
        self.figures.accepted += 1

    def turned_away(self, network: str, reason: str) -> None:
        """A connection was not let in."""
        self.figures.turned_away += 1
        tell(log, logging.INFO, "turned_away", address=network, reason=reason)

    def hangs_up(self, trail: Trail, reason: str) -> None:
        """The locator closes a connection."""
        tell(log, logging.INFO, "hung_up", user=self._known(trail.user), address=trail.address, reason=reason)

    def accounts_changed(self, users: Iterable[UserId]) -> None:
        """An operator's command changed accounts."""
        ordered = sorted(users)
        if ordered:
            first = ",".join(ordered[: limits.LOG_USERS])
            tell(log, logging.INFO, "accounts_changed", count=len(ordered), users=first)

    def store_failed(self, error: StoreFailedError) -> None:
        """A change could not be kept."""
        self.figures.store_errors += 1
        tell(log, logging.ERROR, "store_failed", code=error.code.value, reason=str(error))

    # --- inside ------------------------------------------------------------------------------

    def _logged_in(self, trail: Trail, message: LoggedIn) -> None:
        seconds = self._clock() - trail.asked_at
        self.figures.logins[trail.asked].add(seconds)
        must_change = "yes" if message.must_change_password else None
        facts: dict[str, Fact] = {"how": _HOW.get(trail.asked), "session": message.session, "must_change": must_change}
        self._tell(trail, "logged_in", **facts, seconds=round(seconds, 3))

    def _refused(self, trail: Trail, code: RefusalCode) -> None:
        self.figures.refusals[trail.asked, code] += 1
        self._tell(trail, "refused", asked=trail.asked.__name__, code=code.value)
        if trail.asked in _HOW:
            trail.user = None

    def _tell(self, trail: Trail, event: str, **facts: Fact) -> None:
        tell(log, logging.INFO, event, user=self._known(trail.user), address=trail.address, **facts)

    def _known(self, user: UserId | None) -> str | None:
        """Return an ID to be written; one that nobody has may be a password, typed into the wrong field."""
        return str(user) if user is not None and self._store.find(user) is not None else None

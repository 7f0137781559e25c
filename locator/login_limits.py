"""What guessing passwords and making accounts costs, by account and by address; pure, the time is handed in.

What is guaranteed, whoever attacks:

* a device that was let in before logs in by its key, which none of this touches;
* a person who was let in before from an address (since this locator started) may use the password there, whatever wrong
  passwords come from other addresses, and whatever else is tried from theirs: only wrong passwords for this very ID
  from this very address slow them down;
* from anywhere else, the right password is slowed by wrong ones only while ten others or more keep trying.

An unknown ID is counted like any other, so a refusal tells nothing about it.
"""

import math
from collections.abc import Hashable
from typing import NamedTuple

from locator import limits
from locator.rate_limits import RateLimit, network_of
from protocol.identity import UserId


class TooOften(NamedTuple):
    """A refusal: what was done too often, and after how many seconds it may be tried again."""

    what: str
    retry_after: float

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        return f"{self.what} Try again in {self.retry_after:.0f} s."


class LoginLimits:
    """Keeps count. A try is counted before its password is checked, or many at once would all slip through."""

    def __init__(self) -> None:
        self._tries_here = RateLimit(limits.PASSWORDS_PER_ADDRESS)
        self._wrong_here = RateLimit(limits.WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS)
        self._wrong_anywhere = RateLimit(limits.WRONG_PASSWORDS_PER_ACCOUNT)
        self._accounts_here = RateLimit(limits.REGISTRATIONS_PER_ADDRESS)
        self._homes: dict[UserId, tuple[str, ...]] = {}
        """From where each user was let in last. Users with an account only, so that it is bounded."""

    def try_password(self, user: UserId, address: str, now: float) -> TooOften | None:
        """Count a try; or return why there may be none now."""
        network = network_of(address)
        pair, is_at_home = (user, network), self._is_at_home(user, network)
        wait = self._wrong_here.wait(pair, now)
        if not is_at_home:
            if tries_wait := self._tries_here.wait(network, now):
                return _too_often("Too many people log in from your network.", tries_wait)
            wait = max(wait, self._wrong_anywhere.wait(user, now))
        if wait:
            return _too_often("Too many wrong passwords were tried for this ID.", wait)
        self._wrong_here.take(pair, now)
        if not is_at_home:
            self._tries_here.take(network, now)
            self._wrong_anywhere.take(user, now)
        return None

    def was_right(self, user: UserId, address: str) -> None:
        """The password was right: it was no guess."""
        network = network_of(address)
        self._wrong_here.give_back((user, network))
        if not self._is_at_home(user, network):
            self._wrong_anywhere.give_back(user)

    def let_in(self, user: UserId, address: str) -> None:
        """Remember that a user was let in, with the password or by key, from an address."""
        network = network_of(address)
        homes = self._homes.get(user, ())
        if not homes or homes[-1] != network:
            others = tuple(home for home in homes if home != network)
            self._homes[user] = (*others, network)[-limits.HOMES_PER_USER :]

    def register(self, address: str, now: float) -> TooOften | None:
        """Count a registration; or return why there may be none now."""
        network = network_of(address)
        if wait := self._accounts_here.wait(network, now):
            return _too_often("Too many accounts are being made from your network.", wait)
        self._accounts_here.take(network, now)
        return None

    def queue_of(self, user: UserId, address: str) -> Hashable:
        """Return with whom a password waits to be checked: the strangers of its address, or nobody."""
        network = network_of(address)
        return (user, network) if self._is_at_home(user, network) else network

    def _is_at_home(self, user: UserId, network: str) -> bool:
        return network in self._homes.get(user, ())


def _too_often(what: str, wait: float) -> TooOften:
    return TooOften(what, float(math.ceil(wait)))

"""Where an account's locators are: the address a person gave, and those that it said are one with it."""

import logging
from collections.abc import Callable

from peer.addresses import LocatorAddress, parse_locator_address
from peer.errors import Refusal

log = logging.getLogger(__name__)


class LocatorPlaces:
    """All addresses under which the same accounts are served, and the order in which to try them."""

    def __init__(
        self,
        given: LocatorAddress,
        told: tuple[str, ...] = (),
        remember: Callable[[tuple[str, ...]], None] | None = None,
    ) -> None:
        """`told` is what was remembered; `remember` keeps what is told anew."""
        self.given = given
        self._told = told
        self._remember = remember

    def learn(self, told: tuple[str, ...]) -> None:
        """Take the locator's word for which others are one with it: each must prove the same authority anyway."""
        if told != self._told:
            self._told = told
            if self._remember is not None:
                self._remember(told)

    def all(self) -> list[LocatorAddress]:
        """Return every address once, the given one first."""
        found = [self.given]
        for text in self._told:
            try:
                address = parse_locator_address(text)
            except Refusal:
                log.info("the locator told of a place that is none: %.100r", text)
                continue
            if all(address.place != known.place for known in found):
                found.append(address)
        return found

    def after(self, lost: str | None) -> list[LocatorAddress]:
        """Return every address, those behind a lost place first and that place last."""
        found = self.all()
        at = next((number for number, address in enumerate(found) if address.place == lost), -1)
        return [*found[at + 1 :], *found[: at + 1]]

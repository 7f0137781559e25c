"""How events leave the node: to every subscriber, in order, on the network thread, and never waiting for one."""

import logging
from collections.abc import Callable

from peer.events import Event

log = logging.getLogger(__name__)

Subscriber = Callable[[Event], None]


class EventStream:
    """Passes each event to everybody who asked; a subscriber that fails is logged, the others go on."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every later event, on the network thread; it must not block.

        Returns the function that ends the subscription.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def tell(self, event: Event) -> None:
        """Announce what happened. Call it only for what is already stored."""
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(event)
            except Exception:
                log.exception("a subscriber failed on %s", event.type)

"""The voice port of who is signed in: found and bound at sign-in, lent to one call at a time, closed at sign-out."""

import asyncio
import logging

from peer.errors import Refusal, RefusalCode
from peer.links.voice_sockets import VoiceSockets
from peer.links.wire import Wire
from peer.voice.limits import VOICE_PORT_SECONDS, VOICE_PORTS_TRIED

log = logging.getLogger(__name__)
_HIGHEST = 65_535


class VoicePort:
    """Nobody reads it while there is no call: what comes then is dropped when the next one begins."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._sockets: VoiceSockets | None = None
        self._in_use = asyncio.Lock()

    @property
    def number(self) -> int:
        """Where others reach us; 0 if there is no voice port."""
        return self._sockets.number if self._sockets is not None else 0

    def open(self, wanted: int) -> None:
        """Bind `wanted`, or the next number that is free for both UDP and TCP; without any there are no calls."""
        following = range(wanted, min(wanted + VOICE_PORTS_TRIED, _HIGHEST + 1))
        for number in (*following, *[0] * VOICE_PORTS_TRIED):
            try:
                self._sockets = self._wire.voice_sockets(number)
            except OSError as error:
                log.info("voice port %d cannot be used: %s", number, error)
            else:
                return
        log.warning("there is no voice port: nobody can be called")

    async def lend(self) -> VoiceSockets:
        """Return the sockets, for one call until `take_back`; raise Refusal `voice_failed` if there are none."""
        try:
            async with asyncio.timeout(VOICE_PORT_SECONDS):
                await self._in_use.acquire()  # a call that is just ending gives them back
        except TimeoutError as error:
            raise Refusal(RefusalCode.VOICE_FAILED, "Another call has the voice port. End that one first.") from error
        if self._sockets is None:
            self._in_use.release()
            raise Refusal(RefusalCode.VOICE_FAILED, "No voice port is free here. Sign out and in again.")
        self._sockets.make_ready()
        return self._sockets

    def take_back(self) -> None:
        """The process that used what was lent has ended."""
        if self._sockets is not None:
            self._sockets.rest()
        self._in_use.release()

    def close(self) -> None:
        """Give the number back."""
        sockets, self._sockets = self._sockets, None
        if sockets is not None:
            sockets.close()

"""Calls as a screen or a script has them: `node.calls`.

    call = await node.calls.start(conversation)     # rings, or joins the call of a group that goes on
    await node.calls.answer(call.call)              # after CallRinging, or for a call that is AVAILABLE
    await node.calls.hang_up(call.call)

How it goes on is told by `CallRinging`, `CallStarted`, `CallChanged` and `CallEnded`. All methods run on the network
thread and raise `Refusal`: `not_a_friend`, `offline`, `busy_here`, `no_such_call`, `call_over`, `rate_limited`,
`call_full`, `voice_failed`.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from peer.audio.switches import Switches
from peer.call_views import CallDevicesView, CallId, CallStatistics, CallView
from peer.calls.verbs import CallVerbs
from peer.errors import Refusal, RefusalCode
from peer.views import AudioChoice, AudioDevices, ConversationId
from peer.voice.limits import VOICE_LOUDEST
from protocol.identity import UserId

if TYPE_CHECKING:
    from peer.session import Session


class Calls:
    """What a person can do about calls."""

    def __init__(
        self,
        need_session: "Callable[[], Session]",
        devices: Callable[[], Awaitable[AudioDevices]],
    ) -> None:
        """`need_session` raises Refusal if nobody is signed in; `devices` asks what is here."""
        self._need_session = need_session
        self._devices = devices

    async def current(self) -> tuple[CallView, ...]:
        """Return the call that we are in or that rings here, then those of groups that can be joined."""
        return self._verbs().current()

    async def start(self, conversation: ConversationId) -> CallView:
        """Ring a friend or everybody in a group, or join the group's call that goes on."""
        session = self._need_session()
        found = session.conversations.get(conversation)
        if found is None:
            raise Refusal(RefusalCode.UNKNOWN_CONVERSATION, "There is no such conversation.")
        return await session.calls.verbs.start(found)

    async def answer(self, call: CallId) -> CallView:
        """Go into a call that rings here, or into one of a group that goes on."""
        return await self._verbs().answer(call)

    async def decline(self, call: CallId) -> CallView:
        """Do not want to talk; a group's call can be joined later all the same."""
        return self._verbs().decline(call)

    async def hang_up(self, call: CallId) -> CallView:
        """Be out of a call. One of a group that goes on is AVAILABLE then."""
        return self._verbs().hang_up(call)

    async def mute(self, call: CallId, muted: bool) -> CallView:
        """Send silence, or what is said; the others see it."""
        return self._verbs().mute(call, muted=muted)

    async def set_volume(self, call: CallId, user: UserId, volume: float) -> CallView:
        """Make somebody louder or quieter, for us: 1 is as they come, 4 the most."""
        if not 0 <= volume <= VOICE_LOUDEST:
            raise Refusal(RefusalCode.BAD_REQUEST, f"The volume is between 0 and {VOICE_LOUDEST:g}.")
        return self._verbs().set_volume(call, user, volume)

    async def devices(self) -> CallDevicesView:
        """Return what calls are spoken and heard with, and what there is to choose from."""
        session = self._need_session()
        devices, switches = await self._devices(), session.audio.switches
        return CallDevicesView(session.audio.choice, devices, switches.echo, switches.noise, switches.gain)

    async def set_devices(self, microphone: str, speaker: str) -> None:
        """Use these from now on, also in the call that is on; empty for whatever the system chooses."""
        session = self._need_session()
        await session.audio.choose(AudioChoice(microphone, speaker))
        session.calls.chosen_changed()

    async def processing(self) -> Switches:
        """Return what is done to our voice."""
        return self._need_session().audio.switches

    async def set_processing(self, echo: bool, noise: bool, gain: bool) -> None:
        """Choose what is done to our voice, also in the call that is on."""
        session = self._need_session()
        await session.audio.process(Switches(echo, noise, gain))
        session.calls.chosen_changed()

    async def statistics(self, call: CallId) -> CallStatistics:
        """Return how well a call gets through; with an empty `path` while nobody is heard."""
        people = self._verbs().view(call).people
        heard = [person for person in people if person.quality]
        worst = min(heard, key=lambda person: (person.quality, -(person.delay_ms or 0.0)), default=None)
        if worst is None:
            return CallStatistics(call, None, 0.0, 0.0, "", "", None, people)
        return msgspec.structs.replace(
            CallStatistics(
                call, worst.delay_ms, worst.loss, worst.jitter_ms, worst.redundancy, worst.path, None, people
            ),
            round_trip_ms=worst.round_trip_ms,
        )

    def _verbs(self) -> CallVerbs:
        return self._need_session().calls.verbs

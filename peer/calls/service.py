"""The calls of one account: what a person does, and what comes from others, brought to the one call we are in."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from peer.call_views import CallLevel, CallLevelsView, CallPersonView, CallView
from peer.calls.call import Call
from peer.calls.engaged import EngagedCall
from peer.calls.known import KnownCall, KnownCalls
from peer.calls.limits import (
    CALL_MEMBERS_RUNG,
    CALL_MOVES_SECONDS,
    CALL_TICK_SECONDS,
    CALLS_OVER_REMEMBERED,
    CALLS_RUNG_A_SECOND,
    CALLS_RUNG_AT_ONCE,
    CALLS_STARTED_A_SECOND,
    CALLS_STARTED_AT_ONCE,
)
from peer.calls.lines import CallLines
from peer.calls.sentences import sentence
from peer.calls.sound import CallSound, Voice
from peer.conversation import Conversation
from peer.conversations import Conversations
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import CallChanged, CallEnded, CallLevels, CallRinging, CallStarted
from peer.links.link import Link
from peer.pace import Pace
from protocol import call_messages as said
from protocol.call_messages import CallOffer, CallPerson, CallWord
from protocol.call_states import CallEnd, CallState
from protocol.identity import CallId, UserId
from protocol.limits import CALL_PEOPLE, CALL_RING_SECONDS

"""How a call ended, in one sentence."""

from protocol.call_messages import CallWord
from protocol.call_states import CallEnd

_AS_CALLER = {
    CallWord.DECLINED: CallEnd.DECLINED,
    CallWord.BUSY: CallEnd.BUSY,
    CallWord.FULL: CallEnd.BUSY,
    CallWord.RATE_LIMITED: CallEnd.BUSY,
    CallWord.NO_ANSWER: CallEnd.NO_ANSWER,
    CallWord.ELSEWHERE: CallEnd.ELSEWHERE,
    CallWord.LOST: CallEnd.LOST,
    CallWord.GONE: CallEnd.UNREACHABLE,
}
"""What a word of the other side means to who rings and has no answer; any other one is `HUNG_UP`."""
_WHILE_RUNG = {
    CallWord.NO_ANSWER: CallEnd.MISSED,
    CallWord.ELSEWHERE: CallEnd.ELSEWHERE,
}
"""To who is rung; any other one is `WITHDRAWN`."""
_WHILE_IN = {CallWord.LOST: CallEnd.LOST, CallWord.GONE: CallEnd.LOST, CallWord.ELSEWHERE: CallEnd.ELSEWHERE}
"""To who was talking; any other one is `HUNG_UP`."""


def meaning(word: CallWord, *, is_rung: bool, is_in: bool) -> CallEnd:
    """Return what a word of the other side means to who is rung, is in the call, or rings them."""
    if is_rung:
        return _WHILE_RUNG.get(word, CallEnd.WITHDRAWN)
    if is_in:
        return _WHILE_IN.get(word, CallEnd.HUNG_UP)
    return _AS_CALLER.get(word, CallEnd.HUNG_UP)


def sentence(end: CallEnd, name: str, *, word: CallWord | None = None) -> str:
    """Return what happened; `name` is the other's, `word` what they said, if it was they who ended it."""
    if word in _OF_WORDS:
        return _OF_WORDS[word].format(name)
    return _OF_ENDS[end].format(name)


_OF_WORDS = {
    CallWord.FULL: "Eight people are in this call already.",
    CallWord.RATE_LIMITED: "You call {} too often. Try again later.",
    CallWord.VOICE_FAILED: "The sound system of {} broke down.",
}
_OF_ENDS = {
    CallEnd.HUNG_UP: "The call is over.",
    CallEnd.DECLINED: "{} declined the call.",
    CallEnd.BUSY: "{} is in another call.",
    CallEnd.NO_ANSWER: "{} did not answer.",
    CallEnd.MISSED: "You missed a call from {}.",
    CallEnd.WITHDRAWN: "You missed a call from {}.",
    CallEnd.UNREACHABLE: "{} could not be reached.",
    CallEnd.LOST: "The connection to {} was lost.",
    CallEnd.VOICE_FAILED: "The sound system of this computer broke down.",
    CallEnd.ELSEWHERE: "The call was answered on another device.",
}

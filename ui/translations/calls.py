"""A call in words: how far it has come, how it ended, how well it gets through."""

from datetime import timedelta

from PySide6.QtCore import QCoreApplication

from peer.call_views import CallEnd, CallPersonView, CallState, CallView
from ui.translations import people

_HOUR = 3600


def duration(passed: timedelta) -> str:
    """Return how long a call lasts: 03:27, 1:03:27."""
    seconds = max(0, int(passed.total_seconds()))
    hours, rest = divmod(seconds, _HOUR)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def title(call: CallView) -> str:
    """Return whom the call is with."""
    return people.short_name(call.title)


def caller(call: CallView) -> str:
    """Return who rings us."""
    named = next((person.name for person in call.people if person.user == call.with_), None)
    return people.short_name(named or (call.title if not call.is_group else str(call.with_ or "")))


def who_calls(call: CallView) -> str:
    """Return what is said of a call that rings here."""
    if call.is_group:
        words = QCoreApplication.translate("Call", "%1 calls the group")
        return words.replace("%1", caller(call))
    return QCoreApplication.translate("Call", "is calling you")


def progress(call: CallView) -> str:
    """Return how far a call has come that has no time yet; nothing for one that has."""
    if call.state in {CallState.ENDED, CallState.AVAILABLE}:
        return ended(call)
    if call.state is CallState.ACTIVE or (call.started_at is not None and call.state is not CallState.CONNECTING):
        return ""
    return _states()[call.state]


def ended(call: CallView) -> str:
    """Return why a call is over, as one sentence."""
    if call.reason is CallEnd.VOICE_FAILED and call.message:
        return call.message
    if call.state is CallState.AVAILABLE:
        return QCoreApplication.translate("Call", "You are not in the call any more.")
    over = QCoreApplication.translate("Call", "The call is over.")
    if call.reason is CallEnd.HUNG_UP and call.started_at is not None and call.ended_at is not None:
        lasted = QCoreApplication.translate("Call", "The call is over. It lasted %1.")
        return lasted.replace("%1", duration(call.ended_at - call.started_at))
    if call.reason is None:
        return over
    sentences = _ends_of_theirs() if call.is_incoming else _ends_of_ours()
    return (sentences | _ends_of_all()).get(call.reason, over).replace("%1", title(call))


def person_state(person: CallPersonView) -> str:
    """Return how it stands with somebody in a call; nothing when they are simply in it."""
    if person.state is CallState.ENDED:
        return QCoreApplication.translate("Call", "not in the call")
    if person.state is not CallState.ACTIVE:
        return _states()[person.state]
    if not person.has_microphone:
        return QCoreApplication.translate("Call", "has no microphone")
    if person.is_muted:
        return QCoreApplication.translate("Call", "muted")
    if not person.has_speaker:
        return QCoreApplication.translate("Call", "has no speaker")
    return ""


def quality(bars: int) -> str:
    """Return what so many bars mean, 1 to 4; nothing for none."""
    return {
        1: QCoreApplication.translate("Call", "Bad connection"),
        2: QCoreApplication.translate("Call", "Weak connection"),
        3: QCoreApplication.translate("Call", "Fair connection"),
        4: QCoreApplication.translate("Call", "Good connection"),
    }.get(bars, "")


def milliseconds(delay: float) -> str:
    """Return a delay: 38 ms."""
    return QCoreApplication.translate("Call", "%1 ms").replace("%1", str(round(delay)))


def figures(person: CallPersonView) -> str:
    """Return how well somebody is heard, for who wants to know: delay, loss, jitter, repair."""
    parts = [] if person.delay_ms is None else [
        QCoreApplication.translate("Call", "delay %1").replace("%1", milliseconds(person.delay_ms))
    ]  # fmt: skip
    loss = f"{100 * person.loss:.1f}".removesuffix(".0")
    parts.append(QCoreApplication.translate("Call", "%1 % lost").replace("%1", loss))
    jitter = QCoreApplication.translate("Call", "varies by %1")
    parts.append(jitter.replace("%1", milliseconds(person.jitter_ms)))
    return " · ".join(parts)


def path(way: str) -> str:
    """Return how the voices travel."""
    return {
        "udp": QCoreApplication.translate("Call", "direct (UDP)"),
        "tcp": QCoreApplication.translate("Call", "over TCP"),
    }.get(way, "")


def names(call: CallView) -> str:
    """Return who is in a call, the first three by name."""
    those = [people.short_name(each.name) for each in call.people if each.state is not CallState.ENDED]
    shown = ", ".join(those[:3])
    if len(those) > 3:
        more = QCoreApplication.translate("Call", "%1 and %2 more")
        return more.replace("%1", shown).replace("%2", str(len(those) - 3))
    return shown


def _states() -> dict[CallState, str]:
    return {
        CallState.CALLING: QCoreApplication.translate("Call", "Calling…"),
        CallState.RINGING: QCoreApplication.translate("Call", "Ringing…"),
        CallState.CONNECTING: QCoreApplication.translate("Call", "Connecting…"),
        CallState.ACTIVE: "",
        CallState.AVAILABLE: "",
    }


def _ends_of_ours() -> dict[CallEnd, str]:
    """Return how calls end that we began."""
    return {
        CallEnd.DECLINED: QCoreApplication.translate("Call", "%1 declined the call."),
        CallEnd.BUSY: QCoreApplication.translate("Call", "%1 is in another call."),
        CallEnd.NO_ANSWER: QCoreApplication.translate("Call", "%1 did not answer."),
    }


def _ends_of_theirs() -> dict[CallEnd, str]:
    """Return how calls end that somebody else began."""
    return {
        CallEnd.DECLINED: QCoreApplication.translate("Call", "You declined the call."),
        CallEnd.BUSY: QCoreApplication.translate("Call", "%1 called while you were in a call."),
        CallEnd.MISSED: QCoreApplication.translate("Call", "You missed a call from %1."),
        CallEnd.WITHDRAWN: QCoreApplication.translate("Call", "%1 gave up calling."),
        CallEnd.ELSEWHERE: QCoreApplication.translate("Call", "You answered on another device."),
    }


def _ends_of_all() -> dict[CallEnd, str]:
    return {
        CallEnd.UNREACHABLE: QCoreApplication.translate("Call", "%1 could not be reached."),
        CallEnd.LOST: QCoreApplication.translate("Call", "The connection was lost: nothing was heard for 15 seconds."),
        CallEnd.VOICE_FAILED: QCoreApplication.translate("Call", "The sound of this computer broke down. Call again."),
    }

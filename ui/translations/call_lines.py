"""How a call ended, as it stands among the messages."""

from PySide6.QtCore import QCoreApplication

from peer.views import CallEntryView, CallOutcome, MessageView
from ui.translations import attachments, people

_MOST_NAMED = 3


def title(message: MessageView) -> str:
    """Return what it was: a missed call, one of ours, one of theirs."""
    assert message.call is not None
    if message.call.is_missed:
        return QCoreApplication.translate("CallLine", "Missed call")
    if message.mine:
        return QCoreApplication.translate("CallLine", "Outgoing call")
    return QCoreApplication.translate("CallLine", "Incoming call")


def details(message: MessageView) -> str:
    """Return how long it lasted and with whom, or why there was no talk."""
    call = message.call
    assert call is not None
    if call.is_missed:
        return _missed(call)
    if call.outcome is not CallOutcome.ANSWERED:
        return _no_talk(call, mine=message.mine)
    lasted = length(call.seconds)
    return f"{lasted} · {people.names(call.names, _MOST_NAMED)}" if len(call.names) > 1 else lasted


def summary(message: MessageView) -> str:
    """Return it in one line: 📞 Outgoing call · 3:12."""
    return f"📞 {title(message)} · {details(message)}"


def length(seconds: int) -> str:
    """Return how long a call lasted: 0:14, 3:12, 1:02:05."""
    hours, rest = divmod(seconds, 3_600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else attachments.length(seconds)


def call_back(message: MessageView) -> str:
    """Return what a click says that it does."""
    if message.mine:
        return QCoreApplication.translate("CallLine", "Call again")
    return QCoreApplication.translate("CallLine", "Call back")


def _missed(call: CallEntryView) -> str:
    return {
        CallOutcome.BUSY: QCoreApplication.translate("CallLine", "You were in another call"),
        CallOutcome.UNREACHABLE: QCoreApplication.translate("CallLine", "You were not online"),
        CallOutcome.WITHDRAWN: QCoreApplication.translate("CallLine", "They hung up"),
        CallOutcome.FAILED: QCoreApplication.translate("CallLine", "The connection failed"),
        CallOutcome.ANSWERED: QCoreApplication.translate("CallLine", "You did not join"),
    }.get(call.outcome) or QCoreApplication.translate("CallLine", "Not answered")


def _no_talk(call: CallEntryView, *, mine: bool) -> str:
    if call.outcome is CallOutcome.DECLINED:
        words = QCoreApplication.translate("CallLine", "Declined")
        return words if mine else QCoreApplication.translate("CallLine", "You declined")
    return {
        CallOutcome.BUSY: QCoreApplication.translate("CallLine", "In another call"),
        CallOutcome.UNREACHABLE: QCoreApplication.translate("CallLine", "Not online"),
        CallOutcome.WITHDRAWN: QCoreApplication.translate("CallLine", "Cancelled"),
        CallOutcome.FAILED: QCoreApplication.translate("CallLine", "The connection failed"),
    }.get(call.outcome) or QCoreApplication.translate("CallLine", "No answer")

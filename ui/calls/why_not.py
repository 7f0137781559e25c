"""Why a conversation cannot be called at this moment, in one sentence; nothing when it can."""

from PySide6.QtCore import QCoreApplication

from peer.call_views import CallView
from peer.views import Consent, ContactView, ConversationView, GroupView, SessionView


def why_not(
    conversation: ConversationView,
    contact: ContactView | None,
    group: GroupView | None,
    session: SessionView | None,
    current: CallView | None,
    to_join: CallView | None = None,
) -> str:
    """Return the sentence.

    `group` is None until it is known who is in it; `current` is the call we are in, `to_join` the one going on there.
    """
    if session is not None and session.superseded:
        return QCoreApplication.translate("WhyNot", "You signed in on another device: calls come there.")
    if current is not None and current.conversation == conversation.conversation:
        return ""
    if current is not None:
        return QCoreApplication.translate("WhyNot", "You are in a call already. Hang up first.")
    if to_join is not None:
        return ""
    if conversation.user is None:
        return _why_not_group(conversation, group, session)
    return _why_not_person(conversation, contact)


def _why_not_group(conversation: ConversationView, group: GroupView | None, session: SessionView | None) -> str:
    if not conversation.can_write:
        return QCoreApplication.translate("WhyNot", "You are not in this group any more.")
    me = None if session is None else session.user
    if group is not None and not any(member.online for member in group.members if member.user != me):
        return QCoreApplication.translate("WhyNot", "Nobody else of this group is online.")
    return ""


def _why_not_person(conversation: ConversationView, contact: ContactView | None) -> str:
    if contact is not None and contact.blocked:
        words = QCoreApplication.translate("WhyNot", "You blocked %1.")
    elif contact is None or contact.state is not Consent.FRIENDS:
        words = QCoreApplication.translate("WhyNot", "You can call %1 once you are contacts.")
    elif not contact.online and not contact.linked:
        words = QCoreApplication.translate("WhyNot", "%1 is offline.")
    else:
        return ""
    return words.replace("%1", conversation.title)

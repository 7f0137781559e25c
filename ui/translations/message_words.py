"""What is said of a message beside its text: that it was deleted, edited, answers another one, has reactions."""

from PySide6.QtCore import QCoreApplication

from peer.views import MessageKind, MessageView, QuoteView, ReactionView, WhoHasView
from ui.translations import attachments, call_lines, memberships, moments, people

_LONGEST_QUOTE = 300
"""Characters of an answered message that may have to be read; two lines hold fewer."""
MOST_REACTIONS = 20
"""Emoji in the table of a message's reactions."""


def deleted(message: MessageView) -> str:
    """Return what stands in the place of a deleted message."""
    if message.deleted_by not in {None, message.author}:
        return QCoreApplication.translate("Message", "A manager deleted this message")
    if message.mine:
        return QCoreApplication.translate("Message", "You deleted this message")
    return QCoreApplication.translate("Message", "This message was deleted")


def shown_text(message: MessageView) -> str:
    """Return the text inside the bubble."""
    if message.call is not None:
        return f"{call_lines.title(message)}, {call_lines.details(message)}"
    return deleted(message) if message.kind is MessageKind.DELETED else message.text


def summary(message: MessageView) -> str:
    """Return a message in one line: its text, or what it is when it has none."""
    if message.membership is not None:
        return memberships.sentence(message)
    if message.call is not None:
        return call_lines.summary(message)
    return deleted(message) if message.kind is MessageKind.DELETED else attachments.summary(message)


def quote_line(quoted: QuoteView) -> str:
    """Return what is seen of a message that another one answers."""
    if quoted.kind is None:
        return QCoreApplication.translate("Message", "A message that is not here")
    text = " ".join(quoted.text[:_LONGEST_QUOTE].split())
    kind = {
        MessageKind.TEXT: "",
        MessageKind.FILE: "📎 " + (text or QCoreApplication.translate("Message", "File")),
        MessageKind.PICTURE: "🖼 " + (text or QCoreApplication.translate("Message", "Picture")),
        MessageKind.VOICE: "🎤 " + QCoreApplication.translate("Message", "Voice message"),
        MessageKind.DELETED: QCoreApplication.translate("Message", "Deleted message"),
        MessageKind.MEMBERSHIP: text,
        MessageKind.CALL: "📞 " + text,
    }[quoted.kind]
    return kind or text


def quote_of(message: MessageView) -> QuoteView:
    """Return how a message looks in one that answers it."""
    return QuoteView(message.entry, message.kind, message.author, message.author_name, message.text)


def edited() -> str:
    """Return what stands beside the time of a message that was changed."""
    return QCoreApplication.translate("Message", "edited")


def meta(message: MessageView) -> str:
    """Return what stands at the end of a message: 14:03, edited 14:03."""
    clock = moments.clock(message.written_at)
    return clock if message.edited_at is None else f"{edited()} {clock}"


def meta_tip(message: MessageView) -> str:
    """Return the exact time, when it was changed, and how far it has come."""
    parts = [f"{moments.day(message.written_at)} {moments.clock(message.written_at)}"]
    if message.edited_at is not None:
        words = QCoreApplication.translate("Message", "edited %1")
        parts.append(words.replace("%1", moments.full(message.edited_at)))
    state = people.message_state(message.state)
    return " · ".join([*parts, state] if state else parts)


def reaction_tip(reaction: ReactionView) -> str:
    """Return who chose an emoji."""
    return f"{people.short_name(reaction.emoji)} {people.names(reaction.names)}"


def reaction_facts(reactions: tuple[ReactionView, ...]) -> list[tuple[str, str]]:
    """Return each emoji with how many chose it, and who: the lines of a table, of very many the first."""
    facts = [
        (f"{people.short_name(each.emoji)} {len(each.users)}", people.names(each.names))
        for each in reactions[:MOST_REACTIONS]
    ]
    more = len(reactions) - MOST_REACTIONS
    if more > 0:
        facts.append(("…", QCoreApplication.translate("Message", "and %1 more emoji").replace("%1", str(more))))
    return facts


def who_has(view: WhoHasView) -> str:
    """Return how many have a message: 12 of 14 have it, 9 have read it."""
    has, read = sum(each.has for each in view.members), sum(each.read for each in view.members)
    everybody = len(view.members)
    if not everybody:
        return QCoreApplication.translate("Message", "It is for nobody else")
    if read == everybody:
        return QCoreApplication.translate("Message", "Everyone has read it")
    if has == everybody:
        held = QCoreApplication.translate("Message", "Everyone has it")
    else:
        held = QCoreApplication.translate("Message", "%1 of %2 have it")
        held = held.replace("%1", str(has)).replace("%2", str(everybody))
    if not read:
        return f"{held}, {QCoreApplication.translate('Message', 'nobody has read it yet')}"
    return f"{held}, {QCoreApplication.translate('Message', '%1 read it').replace('%1', str(read))}"


def spoken_reactions(reactions: tuple[ReactionView, ...]) -> str:
    """Return the reactions as a screen reader says them: 👍 2, ❤️ 1."""
    said = ", ".join(f"{people.short_name(each.emoji)} {len(each.users)}" for each in reactions[: people.MOST_NAMED])
    return QCoreApplication.translate("Message", "reactions: %1").replace("%1", said)


def spoken(message: MessageView, me: str = "") -> str:
    """Return all that is seen of a message, for a screen reader; `me` is the user who listens."""
    if message.membership is not None:
        return f"{moments.clock(message.written_at)}: {memberships.sentence(message, me)}"
    words = []
    if message.quoted is not None:
        words.append(_spoken_quote(message.quoted))
    if message.attachment is not None and message.kind is not MessageKind.DELETED:
        words.append(attachments.spoken(message))
    words += [text] if (text := shown_text(message)) else []
    said = f"{people.sender(message)}, {moments.clock(message.written_at)}: {', '.join(words)}"
    after = [edited()] if message.edited_at is not None else []
    after += [spoken_reactions(message.reactions)] if message.reactions else []
    after += [state] if (state := people.message_state(message.state)) else []
    return ", ".join([said, *after])


def _spoken_quote(quoted: QuoteView) -> str:
    if quoted.kind is None:
        return QCoreApplication.translate("Message", "answers a message that is not here")
    words = QCoreApplication.translate("Message", "answers %1: %2")
    return words.replace("%1", people.short_name(quoted.author_name)).replace("%2", quote_line(quoted))

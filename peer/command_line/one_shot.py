"""The verbs that do one thing and end: register, login, password, where, send, listen."""

import argparse
import asyncio
import contextlib
import getpass
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from peer.command_line.callers import Caller, any_caller, serve_others, signed_in
from peer.errors import Refusal

Json = Any  # what JSON can hold
Verb = Callable[[argparse.Namespace], Awaitable[None]]
_HELD = ("delivered", "read")
_CONVERSATION_CHARACTERS = 64
_JOINERS = "\u200c\u200d"
"""Not printable by themselves, but part of many an emoji and script."""


class WrongUsageError(Exception):
    """What was typed cannot be meant; the sentence says what is missing."""


async def run_one_shot(verb: Verb, options: argparse.Namespace) -> int:
    """Run a verb; return its exit code, and say in one sentence why it failed."""
    running = asyncio.current_task()
    assert running is not None
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await verb(options)
    except Refusal as refusal:
        return _complain(refusal.message, 1)
    except WrongUsageError as error:
        return _complain(str(error), 2)
    except BrokenPipeError:
        return 0  # whoever read has seen enough
    except asyncio.CancelledError:
        return 0 if verb is listen else _complain("Stopped before it was done.", 1)
    return 0


# --- register and login ------------------------------------------------------------------------


async def register(options: argparse.Namespace) -> None:
    """Make an account, and keep it usable for later verbs."""
    async with any_caller(options.profile) as caller:
        session = await caller.call(
            "session.register",
            locator=options.url,
            user=options.user,
            password=options.password,
            name=options.name or "",
            stay_signed_in=True,
        )
    _say(f"registered {session['user']} at {session['locator']}")


async def login(options: argparse.Namespace) -> None:
    """Sign in with the password, and keep the account usable for later verbs."""
    async with any_caller(options.profile) as caller:
        await _end_stale_session(caller, options.user)
        session = await caller.call(
            "session.login",
            locator=options.url,
            user=options.user,
            password=options.password,
            stay_signed_in=True,
            old_password=os.environ.get("HAIL_OLD_PASSWORD"),
            set_old_aside=options.set_old_aside,
        )
    _say(f"signed in {session['user']} at {session['locator']}")
    if session.get("must_change_password"):
        _complain(
            "This password was given out by whoever runs the locator, and nothing else works before you change it: run "
            "hail-cli password.",
            0,
        )


async def change_password(options: argparse.Namespace) -> None:
    """Change the password, at the locator and of the profile."""
    async with signed_in(options.profile) as caller:
        await caller.call("session.change_password", old=options.password, new=options.new_password)
    _say("changed; other devices have to sign in with the new one")


async def _end_stale_session(caller: Caller, user: str) -> None:
    """Sign this very user out in the program that has the profile open, if the locator takes its session no more."""
    session = await caller.call("session.status")
    if session and session["user"] == user.lower() and (session["superseded"] or session["must_sign_in"]):
        await caller.call("session.logout")


def ask_password(options: argparse.Namespace) -> int | None:
    """Take passwords before the loop runs, so that Ctrl-C ends the question; return an exit code without them."""
    try:
        options.password = _password("Password", "HAIL_PASSWORD", twice=options.asks_twice)
        if options.asks_for_new:
            options.new_password = _password("New password", "HAIL_NEW_PASSWORD", twice=True)
    except WrongUsageError as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return _complain("Stopped before it was done.", 1)
    return None


def _password(what: str, variable: str, *, twice: bool) -> str:
    password = os.environ.get(variable, "")
    if not password and sys.stdin is not None and sys.stdin.isatty():
        password = getpass.getpass(f"{what}: ")
        if twice and password != getpass.getpass("The same again: "):
            raise WrongUsageError("The two passwords differ. Nothing was done.")
    elif not password and sys.stdin is not None:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise WrongUsageError("The password on standard input is not UTF-8 text.") from None
    if not password:
        raise WrongUsageError(f"No {what.lower()} was given. Set {variable}, or give it as one line of standard input.")
    return password


# --- where ---------------------------------------------------------------------------------------


async def where(options: argparse.Namespace) -> None:
    """Ask the locator where people are."""
    async with signed_in(options.profile) as caller:
        found = await caller.call("where", users=options.users)
    if options.json:
        _say(_json(found))
        return
    width = max(len(about["user"]) for about in found)
    for about in found:
        places = (_place(address, about["listen_port"]) for address in about["addresses"])
        state = "online" if about["online"] else "offline"
        _say(f"{about['user']:{width}}  {state:7}  {' '.join(places)}".rstrip())


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


# --- send ----------------------------------------------------------------------------------------


async def send(options: argparse.Namespace) -> None:
    """Write a message, and say how far it came."""
    async with signed_in(options.profile) as caller:
        conversation = await _conversation(caller, options.to)
        message = await caller.call("messages.send", conversation=conversation, text=options.text)
        is_held = message["state"] in _HELD
        if not is_held:
            # Meanwhile other verbs on this profile need not wait.
            await serve_others(caller)
            # It is stored: that the program which holds it is closed meanwhile changes nothing.
            with contextlib.suppress(TimeoutError, Refusal):
                async with asyncio.timeout(options.wait):
                    is_held = await _delivered(caller, message["entry"])
    _say("delivered" if is_held else "queued")


async def send_file(options: argparse.Namespace) -> None:
    """Send a file or folder, and say how far its message came; meanwhile and until then the content is given."""
    async with signed_in(options.profile) as caller:
        conversation = await _conversation(caller, options.to)
        message = await caller.call(
            "files.send", conversation=conversation, path=str(options.path), caption=options.caption
        )
        is_held = message["state"] in _HELD
        await serve_others(caller)
        with contextlib.suppress(TimeoutError, Refusal):
            async with asyncio.timeout(options.wait):
                is_held = is_held or await _delivered(caller, message["entry"])
        if options.until_fetched:
            await _fetched(caller, conversation, message["entry"])
    _say("delivered" if is_held else "queued")


async def _fetched(caller: Caller, conversation: str, entry: str) -> None:
    """Wait until somebody else has all of it."""
    transfers = await caller.call("files.list", conversation=conversation)
    while not any(_is_with_somebody(each, entry) for each in transfers):
        transfers = [(await caller.next_event()).get("transfer", {})]


def _is_with_somebody(transfer: dict[str, Json], entry: str) -> bool:
    return transfer.get("entry") == entry and any(each["done"] == transfer["size"] for each in transfer["holders"])


async def _conversation(caller: Caller, to: str) -> str:
    """Return the conversation that was named, or that with the person who was named."""
    if _is_conversation(to.lower()):
        return to.lower()
    conversation: str = (await caller.call("conversations.open", user=to))["conversation"]
    return conversation


def _is_conversation(text: str) -> bool:
    """Whether it is a conversation's name in hex, for which an ID is too short."""
    return len(text) == _CONVERSATION_CHARACTERS and not set(text) - set("0123456789abcdef")


async def _delivered(caller: Caller, entry: str) -> bool:
    while True:
        event = await caller.next_event()
        message = event.get("message", {})
        if message.get("entry") == entry and message.get("state") in _HELD:
            return True


# --- listen --------------------------------------------------------------------------------------


async def listen(options: argparse.Namespace) -> None:
    """Print what arrives, until stopped."""
    async with signed_in(options.profile) as caller:
        await serve_others(caller)
        while True:
            event = await caller.next_event()
            line = _json(event) if options.json else _line_for(event)
            if line:
                _say(line)


def _line_for(event: dict[str, Json]) -> str:
    """Return what a person reads of an event; nothing for those that are for programs."""
    match event["type"]:
        case "message_arrived":
            message = event["message"]
            when = datetime.fromisoformat(message["written_at"]).astimezone()
            who = "" if message["membership"] or message["call"] else f"{message['author']}: "
            return f"{when:%Y-%m-%d %H:%M} {who}{_shown(_content(message))}"
        case "transfer_finished":
            return f"saved {event['transfer']['path']}"
        case "transfer_failed":
            transfer = event["transfer"]
            return f"{transfer['name']}: {transfer['reason']}"
        case "contact_asked":
            contact = event["contact"]
            note = f": {_shown(contact['note'])}" if contact["note"] else ""
            return f"{contact['user']} asks to be your friend{note}"
        case "contact_accepted":
            return f"{event['contact']['user']} is your friend now"
        case "superseded":
            return "You signed in on another device. Nothing arrives here until you run hail-cli login."
    return ""


def _content(message: dict[str, Json]) -> str:
    attachment = message["attachment"]
    if attachment is None:
        return str(message["text"])
    return f"[{attachment['name']}, {attachment['size']:,} bytes] {message['text']}".rstrip()


def _shown(text: str) -> str:
    """Return a text that cannot steer the terminal, with its further lines set in."""
    safe = "".join(c if c.isprintable() or c in _JOINERS or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return safe.replace("\n", "\n    ")


# --- output and arguments ------------------------------------------------------------------------


def _say(line: str) -> None:
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"hail-cli: {sentence}\n")
    return code


_KEPT = (
    "The account stays usable for where, send and listen: a key that opens the profile is kept in the system's "
    "keyring or, where there is none, in a file of the profile that only you can read. The password is not kept. "
    "It is taken from HAIL_PASSWORD, a prompt, or one line of standard input."
)


def add_one_shot_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs and their help to the command line."""
    url = ("url", "URL", "the locator: hail://HOST:PORT#FINGERPRINT, or HOST:PORT to trust it at first sight")
    registering = _verb(verbs, "register", register, "make an account at a locator", _KEPT, "hail://h:7400#ab… ana")
    logging_in = _verb(
        verbs,
        "login",
        login,
        "sign in with the password",
        f"{_KEPT} If the password was changed elsewhere, HAIL_OLD_PASSWORD says the former one, which still opens the "
        "profile.",
        "hail://h:7400#ab… ana",
    )
    for parser in (registering, logging_in):
        parser.set_defaults(before=ask_password, asks_twice=parser is registering, asks_for_new=False)
        for name, shown, help_text in (url, ("user", "ID", "1 to 32 of a-z, 0-9, dot, dash, underscore")):
            parser.add_argument(name, metavar=shown, help=help_text)
    logging_in.add_argument(
        "--set-old-aside",
        action="store_true",
        help="the former password is lost: move the profile aside and begin as a new device",
    )
    registering.add_argument("--name", help="the name others see (default: the ID)")
    changing = _verb(
        verbs,
        "password",
        change_password,
        "change the password",
        "The present one comes from HAIL_PASSWORD, a prompt or a line of standard input; then the new one, from "
        "HAIL_NEW_PASSWORD, a prompt or the next line. It has at least 8 characters.",
        "",
    )
    changing.set_defaults(before=ask_password, asks_twice=False, asks_for_new=True)
    asking = _verb(
        verbs, "where", where, "ask who is online, and where", "An unknown ID is simply not online.", "ana bo"
    )
    asking.add_argument("users", nargs="+", metavar="ID", help="whom to ask about")
    asking.add_argument("--json", action="store_true", help="one JSON list, with the fields of the rpc's where")
    sending = _verb(
        verbs,
        "send",
        send,
        "write a message to a friend",
        "Prints delivered, or queued when the friend does not have it yet: then it goes out by itself when both are "
        "there, as soon as this profile is open again (in a window, with listen or rpc).",
        'bo "see you at noon"',
    )
    sending.add_argument("to", metavar="ID|CONVERSATION", help="a friend, or the 64 hex digits of a conversation")
    sending.add_argument("text", metavar="TEXT", help="what to say")
    sending.add_argument(
        "--wait", type=_seconds, default=10.0, metavar="S", help="seconds to wait for delivered (default 10)"
    )
    sending_file = _verb(
        verbs,
        "send-file",
        send_file,
        "send a file or folder to a friend",
        "Prints delivered when the friend has the message, or queued. The content is fetched by the friend, whenever "
        "this profile is open (in a window, with listen or rpc) or while this verb waits.",
        "bo slides.pdf",
    )
    sending_file.add_argument("to", metavar="ID|CONVERSATION", help="a friend, or the 64 hex digits of a conversation")
    sending_file.add_argument("path", metavar="PATH", type=_absolute, help="a file, or a folder with all that is in it")
    sending_file.add_argument("--caption", default="", metavar="TEXT", help="what to say beside it")
    sending_file.add_argument(
        "--wait", type=_seconds, default=10.0, metavar="S", help="seconds to wait for delivered (default 10)"
    )
    sending_file.add_argument(
        "--until-fetched", action="store_true", help="go on waiting until a friend has fetched all of it"
    )
    listening = _verb(
        verbs,
        "listen",
        listen,
        "print what arrives, until stopped",
        "Messages, requests and answers to them. SIGINT or SIGTERM ends it with exit code 0.",
        "--json",
    )
    listening.add_argument(
        "--json",
        action="store_true",
        help="every event of the rpc, one JSON object a line; the first one, connected, says that it listens",
    )


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    verb: Verb,
    what: str,
    more: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}. {more}",
        epilog=f"example: hail-cli --profile ~/.hail-bot {name} {example}".rstrip(),
        allow_abbrev=False,
    )
    parser.set_defaults(run=lambda options: run_one_shot(verb, options), is_one_shot=True, before=None)
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _absolute(text: str) -> Path:
    return Path(text).absolute()

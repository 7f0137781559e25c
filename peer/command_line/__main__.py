"""The command line of `hail-cli`."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from peer.command_line.one_shot import add_one_shot_verbs
from peer.command_line.rpc import serve_rpc
from peer.network_thread import new_event_loop

_SWITCH_SECONDS = 0.0002
"""How long one thread may keep the interpreter: a commit and the next request wait for each other no longer."""
_EPILOG = """\
examples:
  hail-cli --profile ~/.hail-bot login hail://127.0.0.1:7400 ana
  hail-cli --profile ~/.hail-bot send bo "see you at noon"
  hail-cli --profile ~/.hail-bot rpc
  {"jsonrpc": "2.0", "id": 1, "method": "session.login",
   "params": {"locator": "127.0.0.1:7400", "user": "ana", "password": "…"}}   (on one line)

exit codes: 0 done, 1 refused or failed, 2 wrong usage
"""

_RPC_HELP = """\
JSON-RPC 2.0 on standard input and output, one object a line, parameters by name. The end of the input signs out.

methods:
{methods}

message kinds:   text, file, picture, voice; deleted (only its place is left); membership (what happened to a group);
                 call (how a call ended; `outcome`: answered, no_answer, declined, busy, withdrawn, unreachable, failed)
message states:  stored, sent, delivered, read (our own); arrived, seen (others')
transfer states: preparing (our own, being read); offered, waiting, loading, paused, declined, failed, here, gone
call states:     calling, ringing, connecting, active, ended; available (a group's, to be joined by calls.start)
call reasons:    hung_up, declined, busy, no_answer, missed, withdrawn, unreachable, lost, voice_failed, elsewhere
contact states:  stranger, asked, asking, friend, declined, removed
events come as {{"method": "event", "params": {{"type": …}}}}, at most once; messages.list with "after" catches up.
Level meters (call_levels, voice_tried; 20 a second) are for a window alone: no line tells of them.
While nobody is heard, calls.statistics has an empty "path". calls.devices has empty lists without a device, and is
refused as audio_failed after some seconds if the sound system hangs.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run `hail-cli`; return its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=_level(options),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.setswitchinterval(_SWITCH_SECONDS)
    ended: int | None = options.before(options) if options.before is not None else None
    if ended is not None:
        return ended
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        code: int = runner.run(options.run(options))
    return code


def _level(options: argparse.Namespace) -> int:
    if options.verbose:
        return logging.DEBUG
    # What goes wrong in a one-shot verb is one sentence, not a log.
    return logging.CRITICAL if options.is_one_shot else logging.WARNING


def _parser() -> argparse.ArgumentParser:
    from peer.command_line.json_rpc import METHODS

    parser = argparse.ArgumentParser(
        prog="hail-cli",
        description="A Hail peer without a window, for bots, scripts and tests.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--profile", type=Path, required=True, metavar="DIR", help="the folder of the accounts")
    parser.add_argument("--verbose", action="store_true", help="log every step to standard error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    lines = []
    for name, method in METHODS.items():
        fields = ", ".join(method.parameters.__struct_fields__)
        lines.append(f"  {name:24} {fields}")
    add_one_shot_verbs(verbs)
    rpc = verbs.add_parser(
        "rpc",
        help="JSON-RPC 2.0, one object a line, on standard input and output",
        description=_RPC_HELP.format(methods="\n".join(lines)),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rpc.set_defaults(run=lambda options: serve_rpc(options.profile), is_one_shot=False, before=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())

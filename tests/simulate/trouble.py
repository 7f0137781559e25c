"""What goes wrong in a run, drawn from its seed: one thing after the other, many at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from peer.errors import Refusal
from peer.node import PeerNode
from peer.views import MessageKind, MessageView
from tests.simulate.hostile import Censor, Equivocator
from tests.simulate.ledger import Written, says
from tests.simulate.machine import DiedError, Machine

if TYPE_CHECKING:
    from tests.simulate.run import Run


class Liars(StrEnum):
    """Who lies in a run."""

    NONE = "none"
    CENSORS = "censors"
    ALL = "all"
    """Those who tell two stories, too."""


LIARS = 0.15
"""How likely it is that a member lies."""
ON_THE_SCREEN = 12
"""Messages that somebody may answer, edit, react to or delete."""
Deed = Callable[[], Awaitable[None]]


class Trouble:
    """Members who write, come, go and quarrel, on machines and cables that fail."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._chance = run.chance
        self._doing: dict[asyncio.Task[None], None] = {}
        self._texts = 0

    def corrupt(self, liars: Liars) -> None:
        """Let some members lie from now on, never the first."""
        for machine in self._run.machines[1:]:
            if liars is not Liars.NONE and self._chance.random() < LIARS:
                self._corrupt(machine, liars)

    def _corrupt(self, machine: Machine, liars: Liars) -> None:
        key, realm = machine.key(), machine.realm()
        if liars is Liars.ALL and self._chance.random() < 0.5:
            fork_after = self._chance.randrange(10)
            self._run.network.lie(machine.host, Equivocator(key, realm, self._chance, fork_after))
            self._tell(f"{machine.name} tells some another story after {fork_after} entries", "equivocators")
        else:
            victim = self._chance.choice((None, self._run.machines[0].key().device))
            self._run.network.lie(machine.host, Censor(key.device, victim))
            self._tell(f"{machine.name} passes on nothing of {'anybody' if victim is None else 'm00'}", "censors")
        machine.is_hostile = True

    async def rage(self, seconds: float) -> None:
        """Let things go wrong for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        deeds: list[tuple[Deed, int]] = [
            (self._write, 60),
            (self._edit, 8),
            (self._react, 12),
            (self._delete, 5),
            (self._cut_a_link, 6),
            (self._split, 3),
            (self._heal_the_network, 3),
            (self._kill, 4),
            (self._kill_at_commit, 6),
            (self._switch_off, 3),
            (self._switch_on, 12),
            (self._back_up, 3),
            (self._set_back, 2),
            (self._skew, 2),
            (self._rename, 2),
            (self._add, 3),
            (self._exclude, 2),
            (self._exclude_each_other, 1),
            (self._leave, 1),
            (self._promote, 2),
        ]
        choices, weights = zip(*deeds, strict=True)
        pace = 5.0 / len(self._run.machines)
        while loop.time() < until:
            (deed,) = self._chance.choices(choices, weights)
            task = loop.create_task(self._try(deed))
            self._doing[task] = None
            task.add_done_callback(self._doing.pop)
            await asyncio.sleep(self._chance.expovariate(1 / pace))

    async def end(self) -> None:
        """Put everything right again: all on, all reachable."""
        self._run.network.split({})
        while self._doing:
            await asyncio.wait(list(self._doing))
        for machine in self._run.machines:
            machine.kill_at_commit(1_000_000_000)
            machine.skew(max(machine.clock_error, timedelta(0)))
            await machine.attend()
        self._run.tell("all is well again")

    async def _try(self, deed: Deed) -> None:
        try:
            await deed()
        except DiedError:
            return
        except Refusal as refusal:
            self._run.outcome.counts["refused"] += 1
            self._run.tell(f"refused: {refusal}")

    def _tell(self, what: str, count: str) -> None:
        self._run.tell(what)
        self._run.outcome.counts[count] += 1

    def _one(self, *, on: bool = True) -> Machine:
        there = [machine for machine in self._run.machines if machine.is_on is on]
        if not there:
            raise DiedError
        return self._chance.choice(there)

    async def _ask(self, machine: Machine, question: Callable[[PeerNode], Awaitable[object]]) -> None:
        await machine.ask(question)

    # --- what people do ----------------------------------------------------------------------------

    async def _write(self) -> None:
        machine = self._one()
        for _ in range(self._chance.choice((1, 1, 1, 3, 10))):
            self._texts += 1
            text = says(machine.name, self._texts)
            shown = await self._shown(machine)
            answered = self._chance.choice(shown).entry if shown and self._chance.random() < 0.2 else None
            view = await machine.ask(
                lambda node, text=text, answered=answered: node.send_text(self._run.group, text, answered)
            )
            self._run.ledger.wordings.setdefault(view.entry, []).append(text)
            if not machine.is_hostile:
                self._run.ledger.written[view.entry] = Written(machine.name, text)
            self._run.outcome.counts["written"] += 1

    async def _shown(self, machine: Machine) -> list[MessageView]:
        """Return some messages that somebody has before their eyes."""
        if machine.conversation(self._run.group) is None:
            return []
        shown = await machine.ask(lambda node: node.messages(self._run.group, limit=ON_THE_SCREEN))
        return [message for message in shown if message.kind == MessageKind.TEXT]

    async def _edit(self) -> None:
        machine = self._one()
        own = [message for message in await self._shown(machine) if message.mine]
        if own:
            self._texts += 1
            text, entry = says(machine.name, self._texts), self._chance.choice(own).entry
            # Before it is asked for: a program may be killed when it is written, and not told yet.
            self._run.ledger.wordings.setdefault(entry, []).append(text)
            await machine.ask(lambda node: node.edit_message(entry, text))
            self._run.outcome.counts["edited"] += 1

    async def _react(self) -> None:
        machine = self._one()
        if shown := await self._shown(machine):
            entry, emoji = self._chance.choice(shown).entry, self._chance.choice(("👍", "❤️", "🎉", ""))
            await machine.ask(lambda node: node.react(entry, emoji))
            self._run.outcome.counts["reacted"] += 1

    async def _delete(self) -> None:
        machine = self._one()
        shown = await self._shown(machine)
        may_all = self._manages(machine)
        if deletable := [message for message in shown if message.mine or may_all]:
            message = self._chance.choice(deletable)
            self._run.ledger.taken_back.add(message.entry)
            self._run.ledger.wordings.setdefault(message.entry, []).append(message.text)
            await machine.ask(lambda node: node.delete_message(message.entry, for_all=True))
            self._run.outcome.counts["deleted"] += 1

    def _manages(self, machine: Machine) -> bool:
        conversation = machine.conversation(self._run.group)
        return bool(conversation and conversation.group and machine.name in conversation.group.managers)

    async def _rename(self) -> None:
        machine = self._one()
        name = f"Group {self._chance.randrange(1000)}"
        self._tell(f"{machine.name} renames the group to {name}", "renamed")
        await machine.ask(lambda node: node.rename_group(self._run.group, name))

    async def _add(self) -> None:
        machine = self._one()
        members = self._members_for(machine)
        others = [other.name for other in self._run.machines if other.name not in members]
        if others:
            name = self._chance.choice(others)
            later = self._chance.random() < 0.3
            self._tell(f"{machine.name} adds {name}{', from now on' if later else ''}", "added")
            await machine.ask(lambda node: node.add_to_group(self._run.group, name, from_now_on=later))

    async def _exclude(self) -> None:
        machine = self._one()
        others = [name for name in self._members_for(machine) if name != machine.name]
        if others:
            await self._let_exclude(machine, self._chance.choice(others))

    async def _exclude_each_other(self) -> None:
        one, other = self._one(), self._one()
        if one is not other:
            await asyncio.gather(
                self._try(lambda: self._let_exclude(one, other.name)),
                self._try(lambda: self._let_exclude(other, one.name)),
            )

    async def _let_exclude(self, machine: Machine, name: str) -> None:
        self._tell(f"{machine.name} excludes {name}", "excluded")
        await machine.ask(lambda node: node.remove_from_group(self._run.group, name))

    async def _leave(self) -> None:
        machine = self._one()
        self._tell(f"{machine.name} leaves", "left")
        await machine.ask(lambda node: node.leave_group(self._run.group))

    async def _promote(self) -> None:
        machine = self._one()
        others = [name for name in self._members_for(machine) if name != machine.name]
        if others:
            name, is_manager = self._chance.choice(others), self._chance.random() < 0.8
            self._tell(f"{machine.name} lets {name} be {'a' if is_manager else 'no'} manager", "promoted")
            await machine.ask(lambda node: node.set_group_manager(self._run.group, name, is_manager=is_manager))

    def _members_for(self, machine: Machine) -> list[str]:
        conversation = machine.conversation(self._run.group)
        return [str(user) for user in conversation.group.members] if conversation and conversation.group else []

    # --- what happens to machines and cables -------------------------------------------------------

    async def _cut_a_link(self) -> None:
        one, other = self._one(), self._one()
        if self._run.network.cut(one.host, other.host):
            self._tell(f"the link of {one.name} and {other.name} is cut", "cut")

    async def _split(self) -> None:
        sides = {machine.host: self._chance.randrange(2) for machine in self._run.machines}
        names = " ".join(machine.name for machine in self._run.machines if sides[machine.host])
        self._tell(f"the network parts: {names or 'nobody'} on the other side", "partitions")
        self._run.network.split(sides)

    async def _heal_the_network(self) -> None:
        self._run.tell("the network is whole again")
        self._run.network.split({})

    async def _kill(self) -> None:
        machine = self._one()
        loudly = self._chance.random() < 0.5
        self._tell(f"{machine.name} crashes{'' if loudly else ' silently'}", "crashes")
        machine.kill(loudly=loudly)
        await self._later_on(machine)

    async def _kill_at_commit(self) -> None:
        machine = self._one()
        commits = self._chance.randrange(8)
        machine.kill_at_commit(commits)
        await asyncio.sleep(30)
        if not machine.is_on:
            self._tell(f"{machine.name} has crashed at a commit", "crashes")
            await self._later_on(machine)

    async def _switch_off(self) -> None:
        machine = self._one()
        self._tell(f"{machine.name} goes", "switched off")
        await machine.stop()

    async def _switch_on(self) -> None:
        machine = self._one(on=False)
        self._run.tell(f"{machine.name} comes")
        await machine.start()

    async def _later_on(self, machine: Machine) -> None:
        await asyncio.sleep(self._chance.uniform(0, 30))
        if not machine.is_on:
            self._run.tell(f"{machine.name} comes back")
            await machine.start()

    async def _back_up(self) -> None:
        machine = self._one()
        self._tell(f"{machine.name} makes a backup", "backups")
        machine.back_up()

    async def _set_back(self) -> None:
        there = [each for each in self._run.machines if each.has_backup]
        if not there:
            return
        machine = self._chance.choice(there)
        machine.kill(loudly=True)
        unnoticed = self._chance.random() < 0.5
        gone = machine.restore(unnoticed=unnoticed)
        how = "unnoticed" if unnoticed else "as new files"
        self._tell(f"{machine.name} is set back to its backup, {how}: {len(gone)} messages less", "restored backups")
        others = {each.name: each.holds for each in self._run.honest() if each is not machine}
        self._run.ledger.note_set_back(gone, others)
        await self._later_on(machine)

    async def _skew(self) -> None:
        machine = self._one()
        error = timedelta(seconds=self._chance.uniform(-7, 7) * 86400)
        self._tell(f"the clock of {machine.name} is {error.total_seconds() / 86400:+.1f} days wrong", "wrong clocks")
        machine.skew(error)

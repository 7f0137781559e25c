"""The voice process: the sound and the network of one call, for a node that talks to it by pipes."""

import contextlib
import os
import secrets
import threading
import time
from typing import BinaryIO

import msgspec

from peer.audio.loudness import level_of
from peer.audio.process_messages import Done, Failed
from peer.audio.process_server import ProcessServer, serve
from peer.audio.switches import Switches
from peer.errors import Refusal, RefusalCode
from peer.limits import LEVELS_A_SECOND
from peer.voice import process_messages as pipe
from peer.voice.engine import VoiceEngine
from peer.voice.handing_over import take_over
from peer.voice.limits import VOICE_LOUDEST
from peer.voice.processing import Processing
from peer.voice.protection import Keys
from peer.voice.routes import Routes
from peer.voice.sound import Microphone, Speaker
from peer.voice.trial import Trial
from protocol.errors import LocalProtocolError
from protocol.voice_packets import FIRST_NUMBER_BITS

_FIGURES_SECONDS = 1.0


def _now() -> float:
    return 1000 * time.monotonic()


class _Call:
    """One call: engine, network, and devices, with a thread for what is due now and then."""

    def __init__(self, begin: pipe.Begin, server: "VoiceServer") -> None:
        self._server = server
        switches = Switches(begin.echo, begin.noise, begin.gain)
        self.engine = VoiceEngine(self._send, switches, secrets.randbits(32))
        udp = take_over(begin.udp)
        tcp = take_over(begin.tcp) if begin.tcp is not None else None
        self._sockets = [some for some in (udp, tcp) if some is not None]
        self.routes = Routes(udp, tcp, self.engine.received, self.engine.probe, _now)
        self.microphone = Microphone(begin.microphone, lambda sound: self.engine.heard(sound, _now()), self.tell_sound)
        self.speaker = Speaker(begin.speaker, lambda: self.engine.play(_now()), self.tell_sound)
        self._added: dict[int, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="voice", daemon=True)

    def start(self) -> None:
        """Begin to play and to listen."""
        self.microphone.start()
        self.speaker.start()
        self._thread.start()

    def add(self, leg: pipe.AddLeg) -> None:
        """Talk with one more device; raise Refusal if there are too many, or one sends under this SSRC already."""
        try:
            self.engine.add(Keys(leg.outgoing, leg.incoming, leg.ssrc, leg.leg), secrets.randbits(FIRST_NUMBER_BITS))
        except LocalProtocolError as error:
            raise Refusal(RefusalCode.BAD_REQUEST, f"Nobody can be added to this call ({error}).") from error
        self._added[leg.leg] = _now()
        self.routes.add(leg.leg, leg.places, dials=leg.dials)

    def remove(self, leg: int) -> None:
        """End the talk with a device."""
        self._added.pop(leg, None)
        self.engine.remove(leg)
        self.routes.remove(leg)

    def tell_sound(self) -> None:
        """Tell which devices there are."""
        reasons = (self.microphone.reason, self.speaker.reason, self.engine.missing)
        reason = " ".join(dict.fromkeys(filter(None, reasons)))
        self._server.say(pipe.SoundChanged(self.microphone.is_there, self.speaker.is_there, reason))

    def process(self, switches: Switches) -> None:
        """Change what is done to the microphone's sound."""
        self.engine.process(switches)
        self.tell_sound()

    def end(self) -> None:
        """Give everything back."""
        self._is_over.set()
        self._thread.join()
        self.microphone.close()
        self.speaker.close()
        self.routes.close()
        for some in self._sockets:
            some.close()

    def _send(self, leg: int, data: bytes) -> None:
        self.routes.send(leg, data)

    def _look_after(self) -> None:
        figures_at = _now()
        while not self._is_over.wait(1 / LEVELS_A_SECOND):
            now = _now()
            self.engine.report(now, self.routes.heard_by_udp())
            self.routes.look_after(self._is_heard_by_udp)
            self._tell_levels(now)
            if now - figures_at >= 1000 * _FIGURES_SECONDS:
                figures_at = now
                self._tell_figures(now)

    def _is_heard_by_udp(self, leg: int) -> bool:
        found = self.engine.leg(leg)
        return found is not None and found.is_heard_by_udp(_now())

    def _tell_levels(self, now: float) -> None:
        legs = tuple(pipe.LegLevel(ssrc, level_of(level), speaks) for ssrc, level, speaks in self.engine.levels(now))
        mine = self.engine.spoke_at > now - 300
        self._server.say(pipe.Levels(level_of(self.engine.level), mine, legs))

    def _tell_figures(self, now: float) -> None:
        for leg, since in list(self._added.items()):
            found = self.engine.leg(leg)
            if found is None:
                continue
            figures = found.figures
            self._server.say(
                pipe.LegHeard(
                    leg=leg,
                    path=self.routes.path(leg),
                    is_heard=found.is_heard,
                    silent_ms=now - (since if found.heard_at is None else found.heard_at),
                    delay_ms=figures.delay,
                    round_trip_ms=figures.round_trip,
                    loss=figures.loss,
                    unrepaired=figures.unrepaired,
                    jitter_ms=figures.jitter,
                    redundancy=figures.redundancy.name.lower(),
                )
            )


class VoiceServer(ProcessServer[pipe.Command]):
    """Has at most one call, or somebody who tries how they sound."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        super().__init__(commands, answers, msgspec.json.Decoder(pipe.Command))
        self._call: _Call | None = None
        self._trial: Trial | None = None

    def is_busy(self) -> bool:
        """Tell whether there is either."""
        return self._call is not None or self._trial is not None

    def end(self) -> None:
        """Leave the call, end the trial."""
        call, self._call = self._call, None
        if call is not None:
            call.end()
        trial, self._trial = self._trial, None
        if trial is not None:
            trial.end()

    def do(self, command: pipe.Command) -> None:
        """Do what was asked, and answer."""
        match command:
            case pipe.Begin():
                self._begin(command)
            case pipe.Try():
                self._try(command)
            case pipe.HearTrial() | pipe.EndTrial():
                self._go_on(command)
            case pipe.FindMissing():
                self.say(pipe.Missing(Processing(Switches()).missing))
            case _:
                self._do_in_call(command)

    def _do_in_call(self, command: pipe.InCall) -> None:
        call = self._call
        if call is None:
            raise Refusal(RefusalCode.BAD_REQUEST, "There is no call.")
        match command:
            case pipe.AddLeg():
                call.add(command)
            case pipe.MoveLeg():
                call.routes.move(command.leg, command.places)
            case pipe.RemoveLeg():
                call.remove(command.leg)
            case pipe.SetMuted():
                call.engine.is_muted = command.is_muted
            case pipe.SetVolume():
                call.engine.set_volume(command.leg, min(VOICE_LOUDEST, max(0.0, command.volume)))
            case pipe.SetDevices():
                call.microphone.choose(command.microphone)
                call.speaker.choose(command.speaker)
            case pipe.SetProcessing():
                call.process(Switches(command.echo, command.noise, command.gain))
        self.say(Done())

    def _try(self, command: pipe.Try) -> None:
        self.end()
        trial = Trial(command, _now, self.say, self._tell_trial, lambda: self.post(lambda: self._trial_is_over(trial)))
        self._trial = trial
        trial.start()
        self.say(pipe.Begun(trial.microphone.is_there, has_speaker=True))
        self._tell_trial()

    def _go_on(self, command: pipe.HearTrial | pipe.EndTrial) -> None:
        if isinstance(command, pipe.EndTrial):
            self.end()
        elif self._trial is None:
            raise Refusal(RefusalCode.BAD_REQUEST, "Nobody has said anything.")
        else:
            self._trial.hear()
            self._tell_trial()
        self.say(Done())

    def _tell_trial(self) -> None:
        trial = self._trial
        if trial is not None:
            self.say(pipe.SoundChanged(trial.microphone.is_there, trial.speaker.is_there, trial.reason))

    def _trial_is_over(self, trial: Trial) -> None:
        if trial is self._trial:
            self.end()
            self.say(pipe.TrialOver())

    def _begin(self, command: pipe.Begin) -> None:
        self.end()
        try:
            call = _Call(command, self)
        except OSError as error:
            self.say(Failed(RefusalCode.AUDIO_FAILED, f"The voice port cannot be used ({error.strerror})."))
            return
        call.start()
        self._call = call
        self.say(pipe.Begun(call.microphone.is_there, call.speaker.is_there))
        call.tell_sound()


if __name__ == "__main__":
    with contextlib.suppress(AttributeError, OSError):
        os.nice(-10)  # where it is allowed: sound that comes late is of no use
    serve(VoiceServer)

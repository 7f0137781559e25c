"""A real sound system without a sound card: a PulseAudio of its own with null sinks, in a temporary folder.

Each person has a microphone into which a test plays, and a speaker that a test listens to. Programs find it by the
environment of `environment(person)`.
"""

import array
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 10.0
_SILENCE = 500
"""Nothing louder than this is to be heard."""
RATE = 48_000
_MODULES = """\
load-module module-null-sink sink_name={person}_spk rate=48000 channels=1 norewinds=1
load-module module-null-sink sink_name={person}_micfeed rate=48000 channels=1 norewinds=1
load-module module-remap-source source_name={person}_mic master={person}_micfeed.monitor
"""
_DAEMON = """\
use-pid-file = no
enable-shm = no
realtime-scheduling = no
high-priority = no
default-sample-rate = 48000
alternate-sample-rate = 48000
default-sample-channels = 1
avoid-resampling = yes
default-fragments = 4
default-fragment-size-msec = 5
"""
_ALSA = """\
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.pulse { type pulse }
ctl.pulse { type pulse }
"""
_USB = """\
pcm.%(person)s_usb { type pulse device "%(person)s_mic" hint { show on description "%(person)s headset" } }
"""
_DEFAULT_ALSA = "/usr/share/alsa/alsa.conf"
_CRASH = "defaults.pcm.card 0\n"


class SoundCard:
    """Microphones and speakers for `people`; close it."""

    def __init__(self, *people: str) -> None:
        # A short path: the name of a Unix socket has at most 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="hail-sound-"))
        for name in ("rt", "home"):
            (self._folder / name).mkdir(mode=0o700)
        socket = f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._folder}/pulse.sock\n"
        modules = socket + "".join(_MODULES.format(person=person) for person in people)
        (self._folder / "default.pa").write_text(modules)
        (self._folder / "daemon.conf").write_text(_DAEMON)
        (self._folder / "asound.conf").write_text(_ALSA + "".join(_USB % {"person": person} for person in people))
        (self._folder / "crash.conf").write_text(_CRASH)
        self._players: list[subprocess.Popen[bytes]] = []
        self.start()

    def start(self) -> None:
        """Start the sound server (again), and wait until it answers."""
        program = shutil.which("pulseaudio")
        assert program is not None, "pulseaudio is missing: `make setup` installs it"
        words = "-n --daemonize=no --exit-idle-time=-1 --disable-shm=1 --realtime=no --log-target=stderr -F"
        plain = {
            "LC_ALL": "C",
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder / "home"),
            "XDG_RUNTIME_DIR": str(self._folder / "rt"),
            "PULSE_CONFIG": str(self._folder / "daemon.conf"),
        }
        with (self._folder / "log").open("ab") as log:
            self.server = subprocess.Popen(
                [program, *words.split(), str(self._folder / "default.pa")], env=plain, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(["pactl", "info"], env=self._environment(), capture_output=True, check=False).returncode:
            assert self.server.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "the sound server does not answer"
            time.sleep(0.05)

    def environment(self, person: str) -> dict[str, str]:
        """Return what a program of this person has in its environment."""
        return {**self._environment(), **self.variables(person)}

    def variables(self, person: str) -> dict[str, str]:
        """Return what it takes in an environment to have this person's devices, and nothing else."""
        return {**self._variables(), "PULSE_SINK": f"{person}_spk", "PULSE_SOURCE": f"{person}_mic"}

    def environment_without_card(self) -> dict[str, str]:
        """Return the environment of somebody who has no sound at all."""
        return {**self._environment(), "ALSA_CONFIG_PATH": _DEFAULT_ALSA, "PULSE_SERVER": "none"}

    def environment_in_which_portaudio_crashes(self) -> dict[str, str]:
        """Return one with a sound configuration that PortAudio 19.6 aborts on."""
        return {**self._environment(), "ALSA_CONFIG_PATH": str(self._folder / "crash.conf")}

    def speak(self, person: str, sound: Sequence[int]) -> None:
        """Begin to play samples into somebody's microphone."""
        self._play(f"{person}_micfeed", sound)

    def say(self, person: str, sound: Sequence[int]) -> None:
        """Play samples into somebody's microphone, and return when it has heard them all."""
        self._play(f"{person}_micfeed", sound).wait(PATIENCE + len(sound) / RATE)

    def listen(self, person: str, seconds: float) -> "Listener":
        """Begin to record what somebody hears."""
        return Listener(["parec", f"--device={person}_spk.monitor", *_FORM], self._environment(), seconds)

    def record(self, device: str) -> "subprocess.Popen[bytes]":
        """Begin to record any device; samples come on its standard output as they are heard."""
        words = ["parec", f"--device={device}", *_FORM]
        return subprocess.Popen(
            words, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def suspend(self) -> None:
        """Let the server hang."""
        self.server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Pull the card out."""
        self.server.kill()
        self.server.wait(PATIENCE)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.server.poll() is None:
            self.server.kill()
            self.server.wait(PATIENCE)
        for player in self._players:
            player.kill()
            player.wait(PATIENCE)
        shutil.rmtree(self._folder)

    def _play(self, sink: str, sound: Sequence[int]) -> "subprocess.Popen[bytes]":
        file = self._folder / f"{len(self._players)}.raw"
        file.write_bytes(array.array("h", sound).tobytes())
        words = ["pacat", f"--device={sink}", "--raw", *_FORM, str(file)]
        with (self._folder / "log").open("ab") as log:
            self._players.append(subprocess.Popen(words, env=self._environment(), stdout=log, stderr=log))
        return self._players[-1]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._variables()}

    def _variables(self) -> dict[str, str]:
        return {
            "PULSE_SERVER": f"unix:{self._folder}/pulse.sock",
            "ALSA_CONFIG_PATH": str(self._folder / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
        }


_FORM = (f"--rate={RATE}", "--channels=1", "--format=s16le", "--latency-msec=20")


class Listener:
    """Records for so many seconds, beginning when it is made."""

    def __init__(self, words: list[str], environment: dict[str, str], seconds: float) -> None:
        self._bytes = 2 * int(RATE * seconds)
        self._process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        self._process.stdout.read(2)  # now it listens

    def heard(self) -> "array.array[int]":
        """Wait, and return the samples."""
        try:
            return self._read(self._bytes)
        finally:
            self._end()

    def heard_until_silence(self, seconds: float) -> "array.array[int]":
        """Return the samples as soon as it is silent again for so long, or when the time is over."""
        sound: array.array[int] = array.array("h")
        begun, silent = False, 0
        try:
            while 2 * len(sound) < self._bytes and not (begun and silent > RATE * seconds):
                piece = self._read(2 * RATE // 10)
                sound.extend(piece)
                is_loud = max(map(abs, piece), default=0) > _SILENCE
                begun, silent = begun or is_loud, 0 if is_loud else silent + len(piece)
        finally:
            self._end()
        return sound

    def _read(self, count: int) -> "array.array[int]":
        assert self._process.stdout is not None
        return array.array("h", self._process.stdout.read(count))

    def _end(self) -> None:
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

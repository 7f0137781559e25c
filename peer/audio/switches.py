"""What is done to the sound of a microphone before others hear it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switches:
    """On as long as nobody said otherwise."""

    echo: bool = True
    """Cancel the echo of the speaker; needless with headphones, and costs about 9 ms."""
    noise: bool = True
    """Suppress steady noise; costs about 6 ms."""
    gain: bool = True
    """Even the loudness."""

    @property
    def any(self) -> bool:
        """Whether anything is done at all."""
        return self.echo or self.noise or self.gain

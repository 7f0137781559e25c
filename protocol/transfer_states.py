"""Where an attachment stands on this device: one table of what may happen in which state."""

from enum import StrEnum, auto


class TransferState(StrEnum):
    """How far an attachment has come here. The values are public: never renamed."""

    PREPARING = "preparing"
    """Our own, being read and hashed; nobody knows of it yet."""
    OFFERED = "offered"
    """Somebody has it, and nobody asked for it here."""
    WAITING = "waiting"
    """Wanted, and nobody who has it is there."""
    LOADING = "loading"
    """Pieces are coming."""
    PAUSED = "paused"
    """Held up by a person; what has come is kept."""
    DECLINED = "declined"
    """A person here does not want it."""
    FAILED = "failed"
    """It cannot go on before somebody does something; what has come is kept."""
    HERE = "here"
    """Complete, verified, under its name."""
    GONE = "gone"
    """It was here; the file vanished or changed."""


class TransferEvent(StrEnum):
    """What may happen to an attachment."""

    PREPARED = auto()
    WANTED = auto()
    SOURCE_CAME = auto()
    SOURCES_LEFT = auto()
    PAUSED = auto()
    DECLINED = auto()
    CANCELLED = auto()
    FAILED = auto()
    FINISHED = auto()
    VANISHED = auto()


_S, _E = TransferState, TransferEvent
NEXT: dict[tuple[TransferState, TransferEvent], TransferState] = {
    (_S.PREPARING, _E.PREPARED): _S.HERE,
    (_S.PREPARING, _E.CANCELLED): _S.FAILED,
    (_S.PREPARING, _E.FAILED): _S.FAILED,
    (_S.OFFERED, _E.WANTED): _S.WAITING,
    (_S.OFFERED, _E.DECLINED): _S.DECLINED,
    (_S.DECLINED, _E.WANTED): _S.WAITING,
    (_S.WAITING, _E.SOURCE_CAME): _S.LOADING,
    (_S.WAITING, _E.PAUSED): _S.PAUSED,
    (_S.WAITING, _E.DECLINED): _S.DECLINED,
    (_S.WAITING, _E.CANCELLED): _S.OFFERED,
    (_S.WAITING, _E.FAILED): _S.FAILED,
    (_S.WAITING, _E.FINISHED): _S.HERE,
    (_S.LOADING, _E.SOURCES_LEFT): _S.WAITING,
    (_S.LOADING, _E.PAUSED): _S.PAUSED,
    (_S.LOADING, _E.DECLINED): _S.DECLINED,
    (_S.LOADING, _E.CANCELLED): _S.OFFERED,
    (_S.LOADING, _E.FAILED): _S.FAILED,
    (_S.LOADING, _E.FINISHED): _S.HERE,
    (_S.PAUSED, _E.WANTED): _S.WAITING,
    (_S.PAUSED, _E.DECLINED): _S.DECLINED,
    (_S.PAUSED, _E.CANCELLED): _S.OFFERED,
    (_S.FAILED, _E.WANTED): _S.WAITING,
    (_S.FAILED, _E.DECLINED): _S.DECLINED,
    (_S.FAILED, _E.CANCELLED): _S.OFFERED,
    (_S.HERE, _E.VANISHED): _S.GONE,
    (_S.GONE, _E.WANTED): _S.WAITING,
}

UNDER_WAY = frozenset({TransferState.WAITING, TransferState.LOADING})
"""States in which a transfer goes on by itself, also after a restart."""


def next_state(state: TransferState, event: TransferEvent) -> TransferState | None:
    """Return the state after an event; None where it does not fit, and nothing changes."""
    return NEXT.get((state, event))

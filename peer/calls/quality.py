"""How good a voice sounds, in bars: from what the receiver measures each second."""


def bars(loss: float, unrepaired: float, delay_ms: float) -> int:
    """Return 1 (bad) to 4 (good): repaired losses cost little, a delay beyond what talking bears costs a lot.

    The delays are those of ITU-T G.114: up to 150 ms nobody notices, from 400 ms on people talk at the same time.
    """
    if unrepaired > 0.10 or delay_ms > 600:
        return 1
    if unrepaired > 0.04 or loss > 0.20 or delay_ms > 400:
        return 2
    if unrepaired > 0.01 or loss > 0.08 or delay_ms > 200:
        return 3
    return 4

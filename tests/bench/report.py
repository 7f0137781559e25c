"""How a benchmark says what it found."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One goal: what was measured, beside what, and what was wanted."""

    goal: str
    what: str
    measured: float
    unit: str
    reference: float | None
    reference_name: str
    ratio: float | None
    floor: str
    aim: str
    met: bool | None
    """None: no goal, only told."""
    spread: tuple[float, float] | None = None
    """The smallest and the largest ratio of all rounds."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def table(rows: list[Row]) -> str:
    head = ("goal", "what", "measured", "reference", "ratio", "floor", "aim", "met")
    lines = [head]
    for row in rows:
        reference = "-" if row.reference is None else f"{row.reference:.4g} {row.unit} ({row.reference_name})"
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        if row.spread is not None:
            ratio += f" ({row.spread[0]:.2f}-{row.spread[1]:.2f})"
        met = {True: "yes", False: "NO", None: "-"}[row.met]
        measured = f"{row.measured:.4g} {row.unit}"
        lines.append((row.goal, row.what, measured, reference, ratio, row.floor, row.aim, met))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)

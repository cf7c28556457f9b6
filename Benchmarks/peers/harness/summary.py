"""Medians, spreads and ratios of a work's measurements."""

from dataclasses import dataclass
from statistics import median

from harness.schedule import Measurement


@dataclass(frozen=True)
class Spread:
    """A median, with the lowest and highest of what it was taken of."""

    middle: float
    low: float
    high: float


def times(measurement: Measurement) -> Spread:
    """Seconds: the median of all iterations, and the lowest and highest median of a block."""
    blocks = [median(block) for block in measurement.blocks]
    return Spread(
        median([second for block in measurement.blocks for second in block]), min(blocks), max(blocks)
    )


def ratios(measurement: Measurement, ours: Measurement) -> Spread:
    """How many times as long as ours it took: of the two blocks of each round; the median of the rounds.

    Blocks of one round lie close together in time, so that a machine that slows down matters less."""
    rounds = [
        median(theirs) / median(mine) for theirs, mine in zip(measurement.blocks, ours.blocks, strict=True)
    ]
    return Spread(median(rounds), min(rounds), max(rounds))

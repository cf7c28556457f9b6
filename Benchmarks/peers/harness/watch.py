"""Notices other programs that run while something is timed."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.process import ContenderProcess

# More than this share of the machine in other programs' hands, waiting contenders among them, spoils a time.
LARGEST_FOREIGN_USE = 0.03


class Watch:
    """What share of the machine others use during a `with` block in which one contender works."""

    def __init__(self, process: ContenderProcess) -> None:
        self.process = process
        self.foreign_use = 0.0

    def __enter__(self) -> Self:
        self.others, self.start = self.others_seconds(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        capacity = (time.perf_counter() - self.start) * (os.cpu_count() or 1)
        # The system counts in steps of 10 ms.
        self.foreign_use = max(0.0, self.others_seconds() - self.others - 0.02) / capacity

    def others_seconds(self) -> float:
        return machine_seconds() - self.process.processor_seconds


def machine_seconds() -> float:
    """Processor time of all programs since the machine started; 0 where there is no /proc."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen, *_ = map(
        int, path.read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")


def notice(foreign_use: float) -> str:
    """What to say about it; nothing when it does not matter."""
    if foreign_use <= LARGEST_FOREIGN_USE:
        return ""
    return f"NOT ALONE: others used up to {foreign_use:.0%} of the machine"

"""Takes the measurements of one piece of work: contenders in turn, block by block."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.contenders import OURS, Contender
from harness.inputs import Inputs
from harness.process import ContenderError, ContenderProcess
from harness.setup import say
from harness.watch import Watch
from harness.works import Plan, Work


@dataclass
class Measurement:
    """What one contender did."""

    contender: Contender
    blocks: list[list[float]] = field(default_factory=list)  # seconds of each iteration, one list a round
    peak_memory: int | None = None
    difference: str = ""  # of its output from ours
    failure: str = ""  # why there is no time
    versions: dict[str, str] = field(default_factory=dict)
    foreign_use: list[float] = field(
        default_factory=list
    )  # share of the machine that others used, one a round


@contextlib.contextmanager
def failures_of(measurement: Measurement) -> Iterator[None]:
    """Whoever fails has no times, and no further turns."""
    try:
        yield
    except ContenderError as error:
        measurement.failure = str(error)
        measurement.blocks = []


class Schedule:
    def __init__(
        self, work: Work, plan: Plan, contenders: list[Contender], inputs: Inputs, folder: Path, threads: int
    ) -> None:
        self.work, self.plan = work, plan
        self.threads, self.folder = threads, folder / work.key
        # Nothing of an earlier run may be taken for an output of this one.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.command: dict[str, Any] = work.describe(inputs)
        if work.shared_output:
            self.command[work.shared_output.partition(".")[0]] = str(
                self.output_folder(OURS) / work.shared_output
            )
        self.measurements = [Measurement(contender) for contender in contenders]

    def run(self) -> list[Measurement]:
        if self.plan.fresh:
            self.run_fresh()
        else:
            self.run_resident()
        return self.measurements

    def round_order(self, round: int) -> list[Measurement]:
        """Every second round in reverse; the first has ours first, for the others to be compared with."""
        alive = [measurement for measurement in self.measurements if not measurement.failure]
        return alive if round % 2 == 0 else alive[::-1]

    def run_fresh(self) -> None:
        for round in range(self.plan.rounds):
            for measurement in self.round_order(round):
                with failures_of(measurement), self.start(measurement) as process:
                    self.block(process, measurement)
                    self.compare(process, measurement)

    def run_resident(self) -> None:
        with contextlib.ExitStack() as stack:
            processes: dict[str, ContenderProcess] = {}
            for measurement in self.measurements:
                with failures_of(measurement):
                    process = stack.enter_context(self.start(measurement))
                    process.run(1)
                    self.compare(process, measurement)
                    processes[measurement.contender.key] = process
            for round in range(self.plan.rounds):
                for measurement in self.round_order(round):
                    with failures_of(measurement):
                        self.block(processes[measurement.contender.key], measurement)
            for measurement in self.round_order(0):
                with failures_of(measurement):
                    self.compare(processes[measurement.contender.key], measurement)

    def start(self, measurement: Measurement) -> ContenderProcess:
        say(f"  {self.work.key}: {measurement.contender.title}")
        process = ContenderProcess(measurement.contender, self.threads, self.folder / "log.txt")
        try:
            process.prepare(self.command)
        except ContenderError:
            process.__exit__(None, None, None)
            raise
        measurement.versions = process.versions
        return process

    def block(self, process: ContenderProcess, measurement: Measurement) -> None:
        if self.plan.warm_up:
            process.run(self.plan.warm_up)
        with Watch(process) as watch:
            measurement.blocks.append(process.run(self.plan.iterations))
        measurement.foreign_use.append(watch.foreign_use)
        measurement.peak_memory = max(measurement.peak_memory or 0, process.peak_memory or 0) or None

    def compare(self, process: ContenderProcess, measurement: Measurement) -> None:
        """Compares what the last iteration gave with our output. Whoever gives something else fails."""
        folder = self.output_folder(measurement.contender)
        process.write_output(folder)
        if measurement is self.measurements[0]:
            return
        if self.measurements[0].failure:
            raise ContenderError("there is nothing of ours to compare with")
        verdict = self.work.check(self.output_folder(OURS), folder)
        measurement.difference = verdict.text
        if not verdict.passes:
            raise ContenderError(f"another result than ours: {verdict.text}")

    def output_folder(self, contender: Contender) -> Path:
        return self.folder / contender.key

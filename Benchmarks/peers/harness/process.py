"""A contender's process: commands and answers, one JSON object a line."""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.contenders import Contender


class ContenderError(Exception):
    """A contender said that something is wrong, or died."""


class ContenderProcess:
    """Use it in a `with` statement, which ends the process."""

    def __init__(self, contender: Contender, threads: int, log: Path) -> None:
        self.contender = contender
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                contender.command(threads),
                env=contender.environment(threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.versions: dict[str, str] = self.answer()["versions"]
        if contender.is_ours:
            self.ask({"do": "threads", "count": threads})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise ContenderError(f"{self.contender.title} died, see {self.log}") from error
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ContenderError(f"{self.contender.title} died, see {self.log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ContenderError(f"{self.contender.title}: {answer['error']}")
        return answer

    def prepare(self, command: dict[str, Any]) -> None:
        self.ask({"do": "prepare", **command, **dict(self.contender.fields)})

    def run(self, iterations: int) -> list[float]:
        """Seconds of each iteration."""
        seconds: list[float] = self.ask({"do": "run", "iterations": iterations})["seconds"]
        return seconds

    def write_output(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ask({"do": "output", "folder": str(folder)})

    @property
    def peak_memory(self) -> int | None:
        """The most bytes that it has held at once, mapped files included; unknown where there is no /proc."""
        return self.status_bytes("VmHWM")

    def status_bytes(self, field: str) -> int | None:
        path = Path(f"/proc/{self.process.pid}/status")
        if not path.exists():
            return None
        for line in path.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        return None

    @property
    def processor_seconds(self) -> float:
        """Processor time used so far, of all its threads."""
        path = Path(f"/proc/{self.process.pid}/stat")
        if not path.exists():
            return 0
        fields = path.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

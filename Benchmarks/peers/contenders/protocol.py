"""The conversation with peers/compare: one JSON object a line, commands in, answers out.

{"do": "prepare", "work": "forward", …}   reads the inputs
{"do": "run", "iterations": 5}            {"seconds": [0.1, …]}
{"do": "output", "folder": "…"}           writes the result of the last iteration there
{"do": "quit"}
"""

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = dict[str, Any]


class Work(ABC):
    """Work whose inputs are there. Made from the command that describes it."""

    def __init__(self) -> None:
        self.last: Any = None  # what the last iteration gave

    @abstractmethod
    def run_once(self) -> Any:
        """Does the work; the result is complete when it returns."""

    @abstractmethod
    def write(self, result: Any, folder: Path) -> None:
        """Writes a result for comparison."""

    def run(self, iterations: int) -> list[float]:
        """Seconds of each iteration."""
        seconds = []
        for _ in range(iterations):
            self.last = None
            start = time.perf_counter()
            self.last = self.run_once()
            seconds.append(time.perf_counter() - start)
        return seconds

    def write_output(self, folder: Path) -> None:
        """The result of the last iteration, of a first one when there was none."""
        self.write(self.run_once() if self.last is None else self.last, folder)


def serve(works: dict[str, Callable[[Command], Work]], versions: dict[str, str]) -> None:
    """Obeys commands until `quit` or the end of the input."""
    # Whatever a library prints goes to standard error; only answers go to standard output.
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(value: dict[str, object]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    answer({"versions": versions})
    work: Work | None = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "quit":
                return
            if command["do"] == "prepare":
                work = None
                work = works[command["work"]](command)
                answer({})
            elif command["do"] == "output":
                require(work).write_output(Path(command["folder"]))
                answer({})
            elif command["do"] == "run":
                answer({"seconds": require(work).run(command["iterations"])})
            else:
                raise ValueError(f"unknown command {command['do']}")
        except Exception as error:  # the other side must hear of anything that goes wrong
            answer({"error": f"{type(error).__name__}: {error}"})


def require(work: Work | None) -> Work:
    if work is None:
        raise ValueError("nothing has been prepared")
    return work

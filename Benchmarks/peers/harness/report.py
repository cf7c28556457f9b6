"""The tables: for the terminal and in Markdown, from the same rows; and everything as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from harness.schedule import Measurement
from harness.summary import Spread, ratios, times
from harness.watch import notice
from harness.works import Work

HEADINGS = [
    "",
    "median",
    "blocks, low – high",
    "times ours",
    "rounds, low – high",
    "peak memory",
    "output against ours",
]


@dataclass
class Result:
    work: Work
    measurements: list[Measurement]

    @property
    def failed(self) -> bool:
        return any(measurement.failure for measurement in self.measurements)

    def rows(self) -> list[list[str]]:
        return [self.row(measurement) for measurement in self.measurements]

    def row(self, measurement: Measurement) -> list[str]:
        title, ours = measurement.contender.title, self.measurements[0]
        if measurement.failure or ours.failure:
            return [
                title,
                "no time",
                "",
                "",
                "",
                "",
                measurement.failure or "nothing of ours to compare with",
            ]
        seconds = times(measurement)
        memory = f"{measurement.peak_memory / 1e9:.2f} GB" if measurement.peak_memory else ""
        notes = [measurement.difference, notice(max(measurement.foreign_use))]
        times_ours, spread = "", ""
        if measurement is not ours:
            ratio = ratios(measurement, ours)
            times_ours, spread = f"{ratio.middle:.2f}", f"{ratio.low:.2f} – {ratio.high:.2f}"
        return [title, *time_cells(seconds), times_ours, spread, memory, "; ".join(filter(None, notes))]

    def as_json(self) -> dict[str, Any]:
        return {
            "work": self.work.key,
            "title": self.work.title,
            "contenders": [
                {
                    "key": measurement.contender.key,
                    "title": measurement.contender.title,
                    "seconds": measurement.blocks,
                    "peak_memory": measurement.peak_memory,
                    "foreign_use": measurement.foreign_use,
                    "difference": measurement.difference,
                    "failure": measurement.failure,
                    "versions": measurement.versions,
                    **({"median": asdict(times(measurement))} if measurement.blocks else {}),
                }
                for measurement in self.measurements
            ],
        }


def time_cells(seconds: Spread) -> list[str]:
    unit, factor = ("s", 1) if seconds.middle >= 1 else ("ms", 1000)
    digits = 2 if seconds.middle * factor < 100 else 0

    def text(value: float) -> str:
        return f"{value * factor:.{digits}f}"

    return [f"{text(seconds.middle)} {unit}", f"{text(seconds.low)} – {text(seconds.high)}"]


def text_table(headings: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [headings, *rows]
    )


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ceilings_rows(ceilings: dict[str, Any], moment: str) -> list[list[str]]:
    return [
        [
            f"{moment}, {figures['threads']} thread{'s' if figures['threads'] > 1 else ''}",
            f"{figures['fma']:.0f}",
            f"{figures['read']:.1f}",
            f"{figures['triad']:.1f}",
        ]
        for figures in ceilings["figures"]
    ]

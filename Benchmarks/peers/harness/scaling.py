"""How our time grows with pixels, members and threads: no peers, only this package."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness import machine
from harness.contenders import OURS
from harness.curve_picture import picture
from harness.inputs import BLOCKS, MEMBERS, Inputs
from harness.process import ContenderProcess
from harness.report import markdown_table, text_table
from harness.setup import cache_folder, say
from harness.watch import Watch, notice

SIDES = [64, 128, 256, 512]
MEMBER_COUNTS = [1, 2, 5, 10, 20]


@dataclass(frozen=True)
class Point:
    """One measurement of a curve."""

    label: str
    amount: float  # pixels, members or threads
    command: dict[str, Any]
    threads: int


@dataclass(frozen=True)
class Curve:
    key: str
    title: str
    points: list[Point]


def forward(inputs: Inputs, side: int) -> dict[str, Any]:
    return {
        "work": "forward",
        "checkpoint": str(inputs.checkpoint("lsun256")),
        "x": str(inputs.normal(f"x-1-{side}", (1, 3, side, side))),
        "timesteps": [50.0],
    }


def job(inputs: Inputs, side: int) -> dict[str, Any]:
    """One step, so that 512 pixels do not take long."""
    return {
        "work": "job",
        "checkpoint": str(inputs.checkpoint("lsun256")),
        "ensemble": str(inputs.ensemble(steps=1)),
        "members": MEMBERS,
        "picture": str(inputs.picture(side)),
        "noise": str(inputs.normal(f"noise-{side}", (3, side, side))),
        "steps": [50],
        "blocks": BLOCKS,
    }


def product(inputs: Inputs) -> dict[str, Any]:
    return {
        "work": "product",
        "x": str(inputs.normal("x", (2048, 2048))),
        "weight": str(inputs.normal("weight", (2048, 2048))),
    }


def curves(inputs: Inputs, threads: int) -> list[Curve]:
    def pixels(key: str, title: str, command: Callable[[Inputs, int], dict[str, Any]]) -> Curve:
        return Curve(
            key,
            title,
            [Point(f"{side}×{side} px", side * side, command(inputs, side), threads) for side in SIDES],
        )

    def by_threads(key: str, title: str, command: dict[str, Any]) -> Curve:
        counts = sorted({1, threads})
        return Curve(key, title, [Point(f"threads: {count}", count, command, count) for count in counts])

    return [
        pixels("forward-pixels", "LSUN network, one forward, by pixels", forward),
        pixels("job-pixels", f"one picture, 1 step, 5 blocks, {MEMBERS} members, by pixels", job),
        Curve(
            "head-members",
            "ensemble on 65,536 pixels with 8448 features, by members",
            [
                Point(f"members: {count}", count, {"work": "head", "members": count}, threads)
                for count in MEMBER_COUNTS
            ],
        ),
        by_threads("forward-threads", "LSUN-256 forward, by threads", forward(inputs, 256)),
        by_threads("gemm-threads", "matrix product 2048 × 2048 × 2048, by threads", product(inputs)),
        by_threads(
            "head-threads",
            f"ensemble of {MEMBERS} on 65,536 pixels, by threads",
            {"work": "head", "members": MEMBERS},
        ),
    ]


@dataclass
class Times:
    seconds: list[float]
    foreign_use: float


def measure(point: Point, rounds: int, log: Path) -> Times:
    """Seconds of at least `rounds` iterations, for about a second, after one that does not count."""
    with ContenderProcess(OURS, point.threads, log) as process:
        process.prepare(point.command)
        [first] = process.run(1)
        with Watch(process) as watch:
            seconds = process.run(max(rounds, int(1 / first)))
        return Times(seconds, watch.foreign_use)


HEADINGS = ["", "median, ms", "low – high", "amount, times the first", "time, times the first", ""]


def rows(curve: Curve, measured: list[Times]) -> list[list[str]]:
    first_point, first = curve.points[0], median(measured[0].seconds)
    return [
        [
            point.label,
            f"{1000 * median(times.seconds):.1f}",
            f"{1000 * min(times.seconds):.1f} – {1000 * max(times.seconds):.1f}",
            f"{point.amount / first_point.amount:g}",
            f"{median(times.seconds) / first:.2f}",
            notice(times.foreign_use),
        ]
        for point, times in zip(curve.points, measured, strict=True)
    ]


def as_json(curve: Curve, measured: list[Times]) -> dict[str, Any]:
    points = [
        {
            "label": point.label,
            "amount": point.amount,
            "threads": point.threads,
            "seconds": times.seconds,
            "foreign_use": times.foreign_use,
        }
        for point, times in zip(curve.points, measured, strict=True)
    ]
    return {"curve": curve.key, "title": curve.title, "points": points}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scaling", description=__doc__)
    parser.add_argument("--curves", metavar="A,B", help="keys of some curves; all unless given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--cache", type=Path, default=cache_folder(), help="folder for checkpoints and inputs"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for scaling.json, .md and .svg; in the cache unless given"
    )
    return parser.parse_args()


def main() -> None:
    chosen = options()
    folder: Path = chosen.output or chosen.cache / "results"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = curves(Inputs(chosen.cache / "inputs", seed=1), chosen.threads)
    keys = [curve.key for curve in drawn]
    wanted = chosen.curves.split(",") if chosen.curves else keys
    if unknown := set(wanted) - set(keys):
        sys.exit(f"--curves: no {', '.join(sorted(unknown))}; there are {', '.join(keys)}")
    results, parts = [], []
    for curve in [curve for curve in drawn if curve.key in wanted]:
        measured = [measure(point, chosen.rounds, folder / "log.txt") for point in curve.points]
        table = rows(curve, measured)
        print(f"\n{curve.title}\n{text_table(HEADINGS, table)}", flush=True)
        parts += [f"### {curve.title[0].upper()}{curve.title[1:]}", markdown_table(HEADINGS, table)]
        results.append(as_json(curve, measured))
    (folder / "scaling.md").write_text("\n\n".join(parts) + "\n")
    with open(folder / "scaling.json", "w") as file:
        json.dump({"machine": machine.describe(chosen.threads), "curves": results}, file, indent=1)
    (folder / "scaling.svg").write_text(picture(results))
    say(f"\nwritten: {folder}/scaling.md, {folder}/scaling.json, {folder}/scaling.svg")


if __name__ == "__main__":
    main()

"""Times this package and its peers on the same work, side by side in one run."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from harness import machine
from harness.contenders import Contender
from harness.inputs import Inputs
from harness.report import HEADINGS, Result, ceilings_rows, markdown_table, text_table
from harness.schedule import Schedule
from harness.setup import cache_folder, say
from harness.works import Work, all_works

CEILING_HEADINGS = ["", "FMA, GFLOP/s", "memory read, GB/s", "triad, GB/s"]


def group(work: Work) -> str:
    """What stands before the dash of its key."""
    return work.key.partition("-")[0]


def options(works: list[Work]) -> argparse.Namespace:
    keys = ", ".join(dict.fromkeys([work.key for work in works] + [group(work) for work in works]))
    peers = ", ".join(dict.fromkeys(c.key for work in works for c in work.contenders if not c.is_ours))
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds and contenders, about five minutes"
    )
    parser.add_argument("--works", help=f"some of: {keys}", metavar="A,B")
    parser.add_argument("--peers", help=f"some of: {peers}", metavar="A,B")
    parser.add_argument("--rounds", type=int, help="rounds of every work")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count(), help="of every contender; all cores unless given"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the inputs")
    parser.add_argument(
        "--cache", type=Path, default=cache_folder(), help="folder for checkpoints and inputs"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for results.json and results.md; in the cache unless given"
    )
    chosen = parser.parse_args()
    for name, known in [("works", keys), ("peers", peers)]:
        unknown = set((getattr(chosen, name) or "").split(",")) - set(known.split(", ")) - {""}
        if unknown:
            parser.error(f"--{name}: no {', '.join(sorted(unknown))}; there are {known}")
    return chosen


def contenders(work: Work, chosen: argparse.Namespace) -> list[Contender]:
    peers = set(chosen.peers.split(",")) if chosen.peers else None
    taken = []
    for contender in work.contenders:
        if not contender.is_available:
            say(f"  {work.key}: {contender.title} is not installed")
        elif contender.is_ours or (
            contender.key in peers
            if peers is not None
            else not (chosen.quick and contender.key in work.quick_leaves_out)
        ):
            taken.append(contender)
    return taken


def measure(work: Work, chosen: argparse.Namespace, inputs: Inputs, folder: Path) -> Result:
    plan = work.quick if chosen.quick else work.full
    if chosen.rounds:
        plan = type(plan)(chosen.rounds, plan.iterations, plan.warm_up, plan.fresh)
    return Result(work, Schedule(work, plan, contenders(work, chosen), inputs, folder, chosen.threads).run())


def main() -> None:
    works = all_works()
    chosen = options(works)
    if chosen.works:
        wanted = set(chosen.works.split(","))
        works = [work for work in works if {work.key, group(work)} & wanted]
    folder = chosen.output or chosen.cache / "results"
    folder.mkdir(parents=True, exist_ok=True)
    inputs = Inputs(chosen.cache / "inputs", chosen.seed)
    about = machine.describe(chosen.threads)
    ceilings = {"before": machine.ceilings(chosen.threads, folder / "log.txt")}
    results: list[Result] = []
    for work in works:
        result = measure(work, chosen, inputs, folder / "outputs")
        results.append(result)
        print(f"\n{work.title}\n{text_table(HEADINGS, result.rows())}", flush=True)
    ceilings["after"] = machine.ceilings(chosen.threads, folder / "log.txt")
    rows = [row for moment in ceilings for row in ceilings_rows(ceilings[moment], moment)]
    lines = description(about, ceilings, results)
    print("\n" + text_table(CEILING_HEADINGS, rows) + "\n\n" + "\n".join(lines))
    write_markdown(folder / "results.md", lines, rows, results)
    with open(folder / "results.json", "w") as file:
        json.dump(
            {"machine": about, "ceilings": ceilings, "results": [result.as_json() for result in results]},
            file,
            indent=1,
        )
    say(f"\nwritten: {folder}/results.md, {folder}/results.json")
    sys.exit(1 if any(result.failed for result in results) else 0)


def description(about: dict[str, Any], ceilings: dict[str, Any], results: list[Result]) -> list[str]:
    versions: dict[str, str] = {}
    for result in results:
        for measurement in result.measurements:
            versions |= measurement.versions
    return [
        f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, {about['system']}.",
        f"{about['date']}. {about['threads']} threads; ceilings with {ceilings['before']['instructions']}.",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
    ]


def write_markdown(path: Path, lines: list[str], ceilings: list[list[str]], results: list[Result]) -> None:
    parts = ["\n".join(lines), markdown_table(CEILING_HEADINGS, ceilings)]
    for result in results:
        parts.append(f"### {result.work.title[0].upper()}{result.work.title[1:]}")
        parts.append(markdown_table(HEADINGS, result.rows()))
    path.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()

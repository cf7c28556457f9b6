"""What the measurements were taken on."""

import datetime
import os
import platform
from pathlib import Path
from typing import Any

from harness.contenders import OURS
from harness.process import ContenderProcess


def describe(threads: int) -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release()}, {distribution()}",
        "date": datetime.date.today().isoformat(),
    }


def processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        fields = dict(
            (part.strip() for part in line.split(":", 1))
            for line in path.read_text().splitlines()
            if ":" in line
        )
        if "model name" in fields:
            return f"{fields['model name']} (family {fields.get('cpu family')}, model {fields.get('model')})"
    return platform.processor() or platform.machine()


def distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.version()


def ceilings(threads: int, log: Path) -> dict[str, Any]:
    """FMA peak and memory rates, with one thread and with all."""
    with ContenderProcess(OURS, threads, log) as process:
        return process.ask({"do": "ceilings", "threads": sorted({1, threads})})

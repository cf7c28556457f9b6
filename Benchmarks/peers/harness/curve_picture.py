"""Curves as an SVG picture: time against amount, both logarithmic, beside time in proportion to the amount."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from math import log10
from statistics import median
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, FOOT, BOTTOM, GAP = 270, 200, 62, 46, 22, 28, 28
STYLE = (
    "text{font:12px sans-serif;fill:#333}.axis{stroke:#999;fill:none}.line{stroke:#0b6bcb;fill:none;stroke-width:2}"
    ".dot{fill:#0b6bcb}.linear{stroke:#999;stroke-dasharray:4 4}.small{font-size:10px;fill:#666}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.small{fill:#aaa}.line{stroke:#6cb6ff}.dot{fill:#6cb6ff}}"
)


@dataclass(frozen=True)
class Panel:
    """Where numbers lie in one of the drawings."""

    left: float
    amounts: list[float]
    seconds: list[float]

    def x(self, amount: float) -> float:
        return self.left + WIDTH * self.share(amount, self.amounts)

    def y(self, seconds: float) -> float:
        return TOP + HEIGHT * (1 - self.share(seconds, [*self.seconds, self.proportional]))

    @property
    def proportional(self) -> float:
        return self.seconds[0] * self.amounts[-1] / self.amounts[0]

    @staticmethod
    def share(value: float, values: list[float]) -> float:
        lowest, highest = log10(min(values)), log10(max(values))
        return (log10(value) - lowest) / (highest - lowest)


def time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def draw(panel: Panel, title: str, labels: list[str]) -> list[str]:
    text: Callable[[float, float, str, str, str], str] = lambda x, y, anchor, kind, words: (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'
    )
    points = list(zip(panel.amounts, panel.seconds, labels, strict=True))
    line = " ".join(f"{panel.x(amount):.1f},{panel.y(seconds):.1f}" for amount, seconds, _ in points)
    first, last = panel.amounts[0], panel.amounts[-1]
    parts = [
        text(panel.left, 20, "start", "", title),
        f'<path class="axis" d="M{panel.left},{TOP}v{HEIGHT + FOOT}h{WIDTH}"/>',
        f'<line class="linear" x1="{panel.x(first):.1f}" y1="{panel.y(panel.seconds[0]):.1f}" '
        f'x2="{panel.x(last):.1f}" y2="{panel.y(panel.proportional):.1f}"/>',
        f'<polyline class="line" points="{line}"/>',
    ]
    for amount, seconds, label in points:
        x, y = panel.x(amount), panel.y(seconds)
        parts += [
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
            text(x + 8, y + (4 if amount == last else 16), "start", "", time(seconds)),
            text(x, TOP + HEIGHT + FOOT + 16, "middle", "small", label),
        ]
    return parts


def picture(curves: list[dict[str, Any]]) -> str:
    """All curves of three points and more, side by side."""
    curves = [curve for curve in curves if len(curve["points"]) > 2]
    parts: list[str] = []
    for index, curve in enumerate(curves):
        points = curve["points"]
        panel = Panel(
            LEFT + index * (WIDTH + GAP + LEFT) - LEFT / 2,
            [point["amount"] for point in points],
            [median(point["seconds"]) for point in points],
        )
        labels = [point["label"].removeprefix("members: ").split("×")[-1] for point in points]
        parts += draw(panel, curve["title"], labels)
    width, height = LEFT + len(curves) * (WIDTH + GAP + LEFT), TOP + HEIGHT + FOOT + BOTTOM
    summary = "Time against amount; dashed: in proportion. " + "; ".join(curve["title"] for curve in curves)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(summary)}"><style>{STYLE}</style>{"".join(parts)}</svg>\n'
    )

"""Comparison of a contender's output with ours, before its time is believed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
from safetensors.numpy import load_file


@dataclass(frozen=True)
class Verdict:
    passes: bool
    text: str


# From our output folder and theirs.
Check = Callable[[Path, Path], Verdict]


def relative_difference(ours: numpy.ndarray, theirs: numpy.ndarray) -> float:
    """|ours - theirs| / |theirs|, infinite when shapes differ or a number is not finite."""
    if ours.shape != theirs.shape or not (numpy.isfinite(ours).all() and numpy.isfinite(theirs).all()):
        return float("inf")
    theirs = theirs.astype(numpy.float64)
    return float(numpy.linalg.norm(ours - theirs) / max(numpy.linalg.norm(theirs), 1e-300))


def close_outputs(limit: float) -> Check:
    """`output.npy` agrees up to a relative L2 distance."""

    def check(ours: Path, theirs: Path) -> Verdict:
        a, b = numpy.load(ours / "output.npy"), numpy.load(theirs / "output.npy")
        difference = relative_difference(a, b)
        largest = float(numpy.abs(a - b).max()) if a.shape == b.shape else float("inf")
        return Verdict(difference <= limit, f"rel. L2 {difference:.1e}, max {largest:.1e}")

    return check


def same_labels(share: float, limit: float) -> Check:
    """At most a share of the labels differs (near ties fall either way), and uncertainties agree up to a
    relative L2 distance."""

    def check(ours: Path, theirs: Path) -> Verdict:
        a, b = numpy.load(ours / "labels.npy"), numpy.load(theirs / "labels.npy")
        different = int((a != b).sum()) if a.shape == b.shape else b.size
        uncertainty = relative_difference(
            numpy.load(ours / "uncertainty.npy"), numpy.load(theirs / "uncertainty.npy")
        )
        text = f"{different} of {b.size} labels differ, uncertainty rel. L2 {uncertainty:.1e}"
        return Verdict(different <= share * b.size and uncertainty <= limit, text)

    return check


def same_training(loss_limit: float, weight_limit: float) -> Check:
    """Losses of each iteration agree, and so does the way that the weights have gone."""

    def check(ours: Path, theirs: Path) -> Verdict:
        loss = relative_difference(numpy.load(ours / "losses.npy"), numpy.load(theirs / "losses.npy"))
        initial = load_file(ours / "initial.safetensors")
        a, b = load_file(ours / "trained.safetensors"), load_file(theirs / "trained.safetensors")
        ways = [
            (a[name].astype(numpy.float64) - start, b[name].astype(numpy.float64) - start)
            for name, start in initial.items()
        ]
        moved = numpy.sqrt(sum(numpy.square(way).sum() for _, way in ways))
        apart = numpy.sqrt(sum(numpy.square(mine - way).sum() for mine, way in ways))
        weights = float(apart / moved)
        text = f"losses rel. {loss:.1e}, weights {weights:.1e} of the way that they moved"
        return Verdict(loss <= loss_limit and weights <= weight_limit, text)

    return check

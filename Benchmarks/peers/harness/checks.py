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


def difference_of_ways(ours: Path, theirs: Path, name: str) -> float:
    """How far apart weights came that began as `initial.safetensors` of ours, by the way that they moved."""
    initial = load_file(ours / "initial.safetensors")
    a, b = load_file(ours / f"{name}.safetensors"), load_file(theirs / f"{name}.safetensors")
    ways = [
        (a[key].astype(numpy.float64) - start, b[key].astype(numpy.float64) - start)
        for key, start in initial.items()
    ]
    moved = numpy.sqrt(sum(numpy.square(way).sum() for _, way in ways))
    apart = numpy.sqrt(sum(numpy.square(mine - way).sum() for mine, way in ways))
    return float(apart / moved)


def same_training(loss_limit: float, weight_limit: float) -> Check:
    """Losses of each iteration agree, and so does the way that the weights have gone."""

    def check(ours: Path, theirs: Path) -> Verdict:
        loss = relative_difference(numpy.load(ours / "losses.npy"), numpy.load(theirs / "losses.npy"))
        weights = difference_of_ways(ours, theirs, "trained")
        text = f"losses rel. {loss:.1e}, weights {weights:.1e} of the way that they moved"
        return Verdict(loss <= loss_limit and weights <= weight_limit, text)

    return check


def gradient_differences(ours: Path, theirs: Path) -> tuple[float, float]:
    """Relative L2 distance of all gradients together, and the largest of a single parameter.

    Some gradients are zero but for rounding: a bias before the normalisation of single channels changes
    nothing. So a parameter's distance is relative to a hundredth of its share of all gradients at least."""
    a, b = load_file(ours / "gradients.safetensors"), load_file(theirs / "gradients.safetensors")
    if a.keys() != b.keys() or any(a[key].shape != b[key].shape for key in a):
        return float("inf"), float("inf")
    norms = {key: numpy.linalg.norm(b[key].astype(numpy.float64)) for key in b}
    apart = {key: numpy.linalg.norm(a[key].astype(numpy.float64) - b[key]) for key in b}
    whole = numpy.linalg.norm(list(norms.values()))
    numbers = sum(gradient.size for gradient in b.values())
    singles = [
        apart[key] / max(norms[key], 1e-2 * whole * numpy.sqrt(b[key].size / numbers), 1e-300) for key in b
    ]
    return float(numpy.linalg.norm(list(apart.values())) / max(whole, 1e-300)), float(numpy.max(singles))


def same_steps(
    number_limit: float, gradient_limit: float, parameter_limit: float, weight_limit: float
) -> Check:
    """The loss and the gradient's norm of each step agree, so do the gradients of the first, all together and
    each parameter's, and the ways that weights and their averages have gone."""

    def check(ours: Path, theirs: Path) -> Verdict:
        loss, norm = (
            relative_difference(numpy.load(ours / file), numpy.load(theirs / file))
            for file in ["losses.npy", "norms.npy"]
        )
        gradients, worst = gradient_differences(ours, theirs)
        weights, averages = (difference_of_ways(ours, theirs, name) for name in ["trained", "averages"])
        text = (
            f"losses rel. {loss:.1e}, gradients {gradients:.1e} (each up to {worst:.1e}, norms {norm:.1e}), "
            f"weights {weights:.1e} and averages {averages:.1e} of the way that they moved"
        )
        passes = (
            max(loss, norm) <= number_limit
            and gradients <= gradient_limit
            and worst <= parameter_limit
            and max(weights, averages) <= weight_limit
        )
        return Verdict(passes, text)

    return check

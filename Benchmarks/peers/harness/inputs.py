"""Inputs that all contenders read: random arrays from a seed, networks and ensembles with random weights."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
from safetensors.numpy import save_file

from harness.contenders import OURS
from harness.process import ContenderProcess
from harness.setup import PEERS, say

STEPS = [50, 150, 250]
BLOCKS = [5, 6, 7, 8, 12]
# Channels and side of the activations of these blocks.
BLOCK_SIZES = [(1024, 32), (512, 32), (512, 32), (512, 64), (256, 128)]
STEP_FEATURES = sum(channels for channels, _ in BLOCK_SIZES)
CLASSES = 21
MEMBERS = 10
SIDE = 256
BATCH = 64


class Inputs:
    """Files are made when they are first asked for, and kept."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log.txt"

    # Weights

    def checkpoint(self, network: str) -> Path:
        return self.written_by_us(network)

    def ensemble(self, steps: int = len(STEPS)) -> Path:
        """Of ten members, for the features of so many steps."""
        return self.written_by_us(f"ensemble-{MEMBERS}-{steps * STEP_FEATURES}")

    def written_by_us(self, what: str) -> Path:
        path = self.folder / f"{what}.safetensors"
        if not path.exists():
            say(f"writing {path}")
            with ContenderProcess(OURS, 1, self.log) as process:
                process.ask({"do": "write", "what": what, "path": str(path)})
        return path

    def pickle(self, network: str) -> Path:
        """The checkpoint in PyTorch's own format."""
        path = self.folder / f"{network}.pt"
        if not path.exists():
            self.convert(path, ["pickle", str(self.checkpoint(network))])
        return path

    def onnx(self, network: str, batch: int) -> Path:
        """In a folder of its own: large weights lie beside it."""
        folder = self.folder / f"{network}-{batch}"
        path = folder / "network.onnx"
        if not path.exists():
            folder.mkdir(exist_ok=True)
            self.convert(path, ["onnx", network, str(self.checkpoint(network)), str(batch)])
        return path

    def convert(self, path: Path, arguments: list[str]) -> None:
        """Under another name first, so that a stopped run leaves no half file."""
        say(f"writing {path}")
        part = path.with_name("part-" + path.name)
        with open(self.log, "ab") as log:
            command = [sys.executable, "-m", "networks.convert", *arguments, str(part)]
            done = subprocess.run(command, cwd=PEERS, stdout=log, stderr=log)
        if done.returncode != 0:
            sys.exit(f"{path} cannot be written, see {self.log}")
        part.rename(path)

    # Arrays

    def normal(self, name: str, shape: tuple[int, ...]) -> Path:
        return self.array(name, lambda random: random.standard_normal(shape, dtype=numpy.float32))

    def picture(self, side: int = SIDE) -> Path:
        return self.array(
            f"picture-{side}", lambda random: random.uniform(-1, 1, (3, side, side)).astype(numpy.float32)
        )

    def pictures(self, count: int, side: int) -> Path:
        return self.array(
            f"pictures-{count}-{side}",
            lambda random: random.uniform(-1, 1, (count, 3, side, side)).astype(numpy.float32),
        )

    def labels(self, name: str, pixels: int) -> Path:
        """Random classes of some random pixels, 255 elsewhere."""

        def make(random: numpy.random.Generator) -> numpy.ndarray:
            labels = numpy.full(SIDE * SIDE, 255, numpy.uint8)
            chosen = random.permutation(SIDE * SIDE)[:pixels]
            labels[chosen] = random.integers(0, CLASSES, pixels)
            return labels.reshape(SIDE, SIDE)

        return self.array(name, make)

    def array(self, name: str, make: Callable[[numpy.random.Generator], numpy.ndarray]) -> Path:
        path = self.folder / f"{name}-seed{self.seed}.npy"
        if not path.exists():
            numpy.save(path, make(self.random(name)))
        return path

    def features(self) -> Path:
        """Random maps of one picture, `{step}.{block}`, each [C, h, w]."""
        path = self.folder / f"features-seed{self.seed}.safetensors"
        if not path.exists():
            random = self.random("features")
            maps = {
                f"{step}.{block}": random.standard_normal((channels, side, side), dtype=numpy.float32)
                for step in STEPS
                for block, (channels, side) in zip(BLOCKS, BLOCK_SIZES, strict=True)
            }
            save_file(maps, path)
        return path

    def random(self, name: str) -> numpy.random.Generator:
        return numpy.random.default_rng([self.seed, *name.encode()])

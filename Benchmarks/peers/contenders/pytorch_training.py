"""Training iterations of one pixel classifier in PyTorch."""

import time
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from contenders.protocol import Command, Work
from networks.pixel_classifier import PixelClassifier

BATCH = 64


class TrainingWork(Work):
    """Batches are drawn at random from the feature matrix of the labelled pixels, which lies in memory.

    For comparison it trains on one batch, from the initial weights that our side wrote.
    """

    def __init__(self, command: Command, fused: bool) -> None:
        super().__init__()
        maps = load_file(command["features"])
        names = [f"{step}.{block}" for step in command["steps"] for block in command["blocks"]]
        self.maps = [maps[name] for name in names]
        self.classes, self.fused = command["classes"], fused
        self.initial = load_file(command["initial"])
        self.x, self.targets = self.labelled(command["labels"])
        self.batch = self.labelled(command["batchLabels"])
        self.iterations = command["batchIterations"]
        self.classifier, self.optimizer = self.new_member()

    def labelled(self, path: str) -> tuple[Tensor, Tensor]:
        """Feature matrix and targets of the pixels that have a label."""
        labels = torch.from_numpy(numpy.load(path))
        pixels = torch.nonzero(labels.flatten() != 255).flatten()
        columns = [
            functional.interpolate(map[None], size=labels.shape, mode="bilinear", align_corners=False)
            .flatten(2)[0, :, pixels]
            .t()
            for map in self.maps
        ]
        return torch.cat(columns, dim=1).contiguous(), labels.flatten()[pixels].long()

    def new_member(self) -> tuple[PixelClassifier, torch.optim.Adam]:
        classifier = PixelClassifier(self.x.shape[1], self.classes)
        classifier.load_state_dict(self.initial, strict=True)
        classifier.train()
        return classifier, torch.optim.Adam(classifier.parameters(), lr=1e-3, fused=self.fused)

    def iterate(
        self, classifier: PixelClassifier, optimizer: torch.optim.Adam, x: Tensor, targets: Tensor
    ) -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(classifier(x), targets)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def run(self, iterations: int) -> list[float]:
        order = torch.randperm(len(self.x))
        seconds = []
        for index in range(iterations):
            rows = order[index * BATCH % len(order) :][:BATCH]
            start = time.perf_counter()
            self.iterate(self.classifier, self.optimizer, self.x[rows], self.targets[rows])
            seconds.append(time.perf_counter() - start)
        return seconds

    def run_once(self) -> tuple[PixelClassifier, list[float]]:
        classifier, optimizer = self.new_member()
        return classifier, [
            float(self.iterate(classifier, optimizer, *self.batch)) for _ in range(self.iterations)
        ]

    def write(self, result: tuple[PixelClassifier, list[float]], folder: Path) -> None:
        classifier, losses = result
        numpy.save(folder / "losses.npy", numpy.array(losses, dtype=numpy.float32))
        save_file(classifier.state_dict(), str(folder / "trained.safetensors"))

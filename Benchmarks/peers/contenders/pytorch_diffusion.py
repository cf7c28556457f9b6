"""Training steps of a diffusion model in PyTorch."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from contenders.protocol import Command, Work
from networks.reference_job import signal_and_noise
from networks.unet import load_network


@dataclass(frozen=True)
class Batch:
    """What our side drew for a step."""

    x_start: Tensor  # [N, 3, H, W]
    noise: Tensor
    t: Tensor  # [N]
    signal: Tensor  # shares of picture and noise, [N, 1, 1, 1] each
    share: Tensor


@dataclass(frozen=True)
class Trained:
    """After the steps that are compared."""

    losses: list[float]  # of each step
    norms: list[float]  # of all gradients together, before they were limited
    gradients: dict[str, Tensor]  # of the first step, after their norm was limited
    averages: dict[str, Tensor]


class DiffusionStepWork(Work):
    """Batches lie ready, with the shares of picture and noise. AdamW is fused; one call moves all averages.

    For comparison it begins again from the checkpoint, with the same network, so that it is compiled once.
    """

    def __init__(self, command: Command, channels_last: bool, compiles: bool) -> None:
        super().__init__()
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.checkpoint, self.compared_steps = command["checkpoint"], command["comparedSteps"]
        self.learning_rate, self.gradient_norm = command["learningRate"], command["gradientNorm"]
        self.average_decay = command["averageDecay"]
        drawn = load_file(command["batches"])
        self.batches = [self.batch(drawn, step) for step in range(self.compared_steps)]
        self.network = load_network(command["network"], load_file(self.checkpoint))
        self.network = self.network.to(memory_format=self.layout).train().requires_grad_(True)
        self.parameters = list(self.network.parameters())
        self.predict: Callable[[Tensor, Tensor], Tensor] = (
            torch.compile(self.network) if compiles else self.network
        )
        self.begin()

    def batch(self, drawn: dict[str, Tensor], step: int) -> Batch:
        t = drawn[f"t.{step}"]
        shares = torch.tensor([signal_and_noise(int(number)) for number in t])
        signal, share = shares.t().contiguous()[:, :, None, None, None]
        x_start, noise = (
            drawn[f"{name}.{step}"].to(memory_format=self.layout) for name in ["xStart", "noise"]
        )
        return Batch(x_start, noise, t, signal, share)

    def begin(self) -> None:
        """From the weights of the checkpoint, which go into memory of their own."""
        initial = load_file(self.checkpoint)
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.data = torch.empty_like(parameter).copy_(initial[name])
        self.averages = [parameter.detach().clone() for parameter in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=self.learning_rate, weight_decay=0, fused=True)
        self.steps = 0

    def step(self) -> tuple[Tensor, Tensor]:
        """Loss and norm of the gradients."""
        batch = self.batches[self.steps % len(self.batches)]
        x = batch.signal * batch.x_start + batch.share * batch.noise
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.mse_loss(self.predict(x, batch.t), batch.noise)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.gradient_norm)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.parameters, 1 - self.average_decay)
        self.steps += 1
        return loss.detach(), norm

    def run(self, iterations: int) -> list[float]:
        seconds = []
        for _ in range(iterations):
            start = time.perf_counter()
            self.step()
            seconds.append(time.perf_counter() - start)
        return seconds

    def run_once(self) -> Trained:
        self.begin()
        numbers = [self.step()]
        gradients = {
            name: parameter.grad.clone()
            for name, parameter in self.network.named_parameters()
            if parameter.grad is not None
        }
        numbers += [self.step() for _ in range(self.compared_steps - 1)]
        losses, norms = ([float(number) for number in column] for column in zip(*numbers, strict=True))
        names = [name for name, _ in self.network.named_parameters()]
        return Trained(losses, norms, gradients, dict(zip(names, self.averages, strict=True)))

    def write(self, result: Trained, folder: Path) -> None:
        for name, numbers in [("losses", result.losses), ("norms", result.norms)]:
            numpy.save(folder / f"{name}.npy", numpy.array(numbers))
        for name, tensors in [
            ("gradients", result.gradients),
            ("trained", self.network.state_dict()),
            ("averages", result.averages),
        ]:
            save_file(
                {key: value.detach().contiguous() for key, value in tensors.items()},
                str(folder / f"{name}.safetensors"),
            )

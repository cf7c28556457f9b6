"""PyTorch on the CPU. `--setting` chooses how: see `Settings`."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from contenders.protocol import Command, Work, serve
from contenders.pytorch_diffusion import DiffusionStepWork
from contenders.pytorch_training import TrainingWork
from networks.autoencoder import load_autoencoder
from networks.latent_features import LatentFeatures
from networks.latent_unet import load_latent_network
from networks.mae import load_mae
from networks.pixel_classifier import load_ensemble
from networks.reference_job import segment
from networks.resnet import load_resnet
from networks.unet import load_network


@dataclass(frozen=True)
class Settings:
    channels_last: bool = False
    compiles: bool = False
    mapped: bool = False  # checkpoints in PyTorch's own format
    safetensors: bool = False  # checkpoints in that format instead
    stops_early: bool = False  # after the last block that is asked for
    fused: bool = False  # the optimiser


def tensor(path: str) -> Tensor:
    return torch.from_numpy(numpy.load(path))


def read_state(path: str, mapped: bool = True) -> dict[str, Tensor]:
    if path.endswith(".safetensors"):
        return load_file(path)
    return torch.load(path, map_location="cpu", mmap=mapped, weights_only=True)


def checkpoint_path(command: Command, settings: Settings) -> str:
    path: str = command["safetensors" if settings.safetensors else "checkpoint"]
    return path


def save(folder: Path, name: str, result: Tensor) -> None:
    numpy.save(folder / f"{name}.npy", result.contiguous().numpy())


class ForwardWork(Work):
    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        load = load_latent_network if command["work"] == "latent-forward" else load_network
        network: nn.Module = load(command["network"], read_state(command["checkpoint"]))
        self.x = tensor(command["x"])
        self.inputs = [torch.tensor(command["timesteps"])]
        if "context" in command:
            self.inputs.append(tensor(command["context"]))
        if settings.channels_last:
            network = network.to(memory_format=torch.channels_last)
            self.x = self.x.to(memory_format=torch.channels_last)
        self.network: Callable[..., Tensor] = torch.compile(network) if settings.compiles else network

    def run_once(self) -> Tensor:
        with torch.inference_mode():
            return self.network(self.x, *self.inputs)

    def write(self, result: Tensor, folder: Path) -> None:
        save(folder, "output", result)


class JobWork(Work):
    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        self.network = load_network(command["network"], read_state(command["checkpoint"]))
        if settings.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.ensemble = load_ensemble(load_file(command["ensemble"]), command["members"])
        self.picture, self.noise = tensor(command["picture"]), tensor(command["noise"])
        self.steps, self.blocks = command["steps"], sorted(command["blocks"])
        self.stops_early = settings.stops_early

    def run_once(self) -> tuple[Tensor, Tensor]:
        with torch.inference_mode():
            return segment(
                self.network,
                self.ensemble,
                self.picture,
                self.noise,
                self.steps,
                self.blocks,
                self.stops_early,
            )

    def write(self, result: tuple[Tensor, Tensor], folder: Path) -> None:
        labels, uncertainty = result
        save(folder, "labels", labels.to(torch.uint8))
        save(folder, "uncertainty", uncertainty)


def latent_features(command: Command) -> nn.Module:
    settings = command["settings"]
    steps, blocks = ([int(number) for number in settings[key].split(",")] for key in ("steps", "blocks"))
    return LatentFeatures(
        command["network"], read_state(command["checkpoint"]), tensor(settings["noise"]), steps, blocks
    )


PICTURE_NETWORKS: dict[str, Callable[[Command], nn.Module]] = {
    "mae": lambda command: load_mae(read_state(command["checkpoint"])),
    "swav": lambda command: load_resnet(read_state(command["checkpoint"])),
    "swav_w2": lambda command: load_resnet(read_state(command["checkpoint"])),
    "ldm-faces": latent_features,
    "ldm-autoencoder": lambda command: load_autoencoder(read_state(command["checkpoint"])),
}


class PictureWork(Work):
    """What a network makes of a picture alone: features, or a latent and the picture again."""

    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        network = PICTURE_NETWORKS[command["network"]](command)
        self.picture = tensor(command["picture"])[None]
        if settings.channels_last:
            network = network.to(memory_format=torch.channels_last)
            self.picture = self.picture.to(memory_format=torch.channels_last)
        self.network: Callable[[Tensor], list[Tensor]] = (
            torch.compile(network) if settings.compiles else network
        )

    def run_once(self) -> list[Tensor]:
        with torch.inference_mode():
            return self.network(self.picture)

    def write(self, result: list[Tensor], folder: Path) -> None:
        save(folder, "output", torch.cat([activation.reshape(-1) for activation in result]))


class ReadingWork(Work):
    """Opens a checkpoint and sums every tensor."""

    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        self.path, self.mapped = checkpoint_path(command, settings), settings.mapped

    def run_once(self) -> dict[str, float]:
        state = read_state(self.path, self.mapped)
        return {name: float(values.sum()) for name, values in state.items()}

    def write(self, sums: dict[str, float], folder: Path) -> None:
        numpy.save(folder / "output.npy", numpy.array([sums[name] for name in sorted(sums)]))


class LoadingWork(Work):
    """Makes a network from its checkpoint and runs it once, on a small picture."""

    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        self.name, self.mapped = command["network"], settings.mapped
        self.path = checkpoint_path(command, settings)
        self.x, self.timesteps = tensor(command["x"]), torch.tensor(command["timesteps"])

    def run_once(self) -> Tensor:
        with torch.inference_mode():
            network = load_network(self.name, read_state(self.path, self.mapped))
            return network(self.x, self.timesteps)

    def write(self, result: Tensor, folder: Path) -> None:
        save(folder, "output", result)


class ProductWork(Work):
    def __init__(self, command: Command, settings: Settings) -> None:
        super().__init__()
        self.x, self.weight = tensor(command["x"]), tensor(command["weight"])

    def run_once(self) -> Tensor:
        return torch.mm(self.x, self.weight.t())

    def write(self, result: Tensor, folder: Path) -> None:
        save(folder, "output", result)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--setting", action="append", default=[], choices=list(Settings.__dataclass_fields__))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = Settings(**{name: True for name in options.setting})
    works: dict[str, Callable[[Command, Settings], Work]] = {
        "forward": ForwardWork,
        "job": JobWork,
        "features": PictureWork,
        "latent-forward": ForwardWork,
        "autoencoder": PictureWork,
        "read": ReadingWork,
        "load": LoadingWork,
        "product": ProductWork,
        "training": lambda command, settings: TrainingWork(command, fused=settings.fused),
        "diffusion-step": lambda command, settings: DiffusionStepWork(
            command, settings.channels_last, settings.compiles
        ),
    }
    serve(
        {name: lambda command, make=make: make(command, settings) for name, make in works.items()},
        {"PyTorch": torch.__version__, "PyTorch instructions": torch.backends.cpu.get_cpu_capability()},
    )


if __name__ == "__main__":
    main()

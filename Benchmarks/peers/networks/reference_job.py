"""One picture the way of ddpm-segmentation: whole forwards, activations upsampled to the picture and joined
into one matrix, every classifier over all of it."""

import torch
from torch import Tensor
from torch.nn import functional

from networks.pixel_classifier import PixelClassifier, vote
from networks.unet import UNet


def signal_and_noise(step: int, steps: int = 1000) -> tuple[float, float]:
    """Shares of picture and noise at a step of the linear schedule."""
    betas = torch.linspace(0.1 / steps, 20 / steps, steps, dtype=torch.float64)
    product = torch.cumprod(1 - betas, dim=0)[step]
    return float(product.sqrt()), float((1 - product).sqrt())


def features(
    network: UNet, picture: Tensor, noise: Tensor, steps: list[int], blocks: list[int], stops_early: bool
) -> Tensor:
    """[channels, H, W] of a picture [3, H, W]: step by step, in each step block by block."""
    maps: list[Tensor] = []
    for step in steps:
        signal, share = signal_and_noise(step)
        x = (signal * picture + share * noise)[None]
        maps += network.activations(x, torch.tensor([float(step)]), blocks, stops_early)
    size = picture.shape[1:]
    upsampled = [
        functional.interpolate(map, size=size, mode="bilinear", align_corners=False)[0] for map in maps
    ]
    return torch.cat(upsampled, dim=0)


def segment(
    network: UNet,
    ensemble: list[PixelClassifier],
    picture: Tensor,
    noise: Tensor,
    steps: list[int],
    blocks: list[int],
    stops_early: bool = False,
) -> tuple[Tensor, Tensor]:
    """Labels and uncertainty, [H, W] each."""
    vectors = features(network, picture, noise, steps, blocks, stops_early).flatten(1).permute(1, 0)
    labels, uncertainty = vote(ensemble, vectors)
    size = picture.shape[1:]
    return labels.reshape(size), uncertainty.reshape(size)

"""The features of a picture by a latent diffusion model: activations of its U-Net under noised latents."""

import torch
from torch import Tensor, nn

from networks.autoencoder import load_first_stage
from networks.latent_unet import load_latent_network


def signal_and_noise(steps: list[int], first: float = 0.0015, last: float = 0.0195) -> tuple[Tensor, Tensor]:
    """Shares of latent and noise at some of the thousand steps of latent diffusion's "linear" schedule."""
    betas = torch.linspace(first**0.5, last**0.5, 1000, dtype=torch.float64) ** 2
    product = torch.cumprod(1 - betas, dim=0)[steps]
    signal, noise = product.sqrt().float(), (1 - product).sqrt().float()
    return signal.reshape(-1, 1, 1, 1), noise.reshape(-1, 1, 1, 1)


class LatentFeatures(nn.Module):
    """[1, 3, H, W] to maps [C, h, w], step by step, in each step block by block. All steps are one batch, and
    nothing after the last block is computed."""

    def __init__(
        self, name: str, state: dict[str, Tensor], noise: Tensor, steps: list[int], blocks: list[int]
    ) -> None:
        super().__init__()
        self.first_stage, self.network = load_first_stage(state), load_latent_network(name, state)
        self.steps, self.blocks = steps, sorted(blocks)
        signal, share = signal_and_noise(steps)
        self.register_buffer("signal", signal)
        self.register_buffer("noise", share * noise)
        self.register_buffer("timesteps", torch.tensor(steps, dtype=torch.float32))

    def forward(self, picture: Tensor) -> list[Tensor]:
        x = self.signal * self.first_stage(picture) + self.noise
        activations = self.network.decode(x, self.timesteps, None, self.blocks[-1])
        return [activations[block][step] for step in range(len(self.steps)) for block in self.blocks]

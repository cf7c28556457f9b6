"""guided-diffusion's U-Net in PyTorch, with the names of its checkpoints.

x: [N, 3, H, W]; timesteps: [N]; the result is [N, 6, H, W], or [N, 3, H, W] without a learned variance.
There is no dropout.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from networks.layers import AttentionBlock, ResBlock


@dataclass(frozen=True)
class UNetConfiguration:
    """The flags of guided-diffusion that its checkpoints were trained with; the rest is as there."""

    side: int  # of the pictures that it is made for, in pixels
    model_channels: int
    channel_mult: tuple[int, ...]
    residual_blocks: int
    attention_factors: frozenset[int]  # downsampling factors of the levels with attention
    head_channels: int = 64
    in_channels: int = 3
    out_channels: int = 6


NETWORKS = {
    "small64": UNetConfiguration(64, 64, (1, 2, 3, 4), 2, frozenset({4, 8})),
    "small32": UNetConfiguration(
        64, 32, (1, 2, 3, 4), 2, frozenset({4, 8}), head_channels=32, out_channels=3
    ),
    "lsun256": UNetConfiguration(256, 256, (1, 1, 2, 2, 4, 4), 2, frozenset({8, 16, 32})),
}


def timestep_embedding(timesteps: Tensor, channels: int) -> Tensor:
    """[N] to [N, channels]: cosines, then sines, of frequencies from 1 down to 1e-4."""
    half = channels // 2
    frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32) / half)
    angles = timesteps[:, None] * frequencies
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)


class Block(nn.Sequential):
    """Layers in a row; residual ones also get the embedding."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, ResBlock) else layer(x)
        return x


class UNet(nn.Module):
    def __init__(self, configuration: UNetConfiguration) -> None:
        super().__init__()
        self.configuration = configuration
        levels = [configuration.model_channels * factor for factor in configuration.channel_mult]
        embedding = 4 * configuration.model_channels
        self.time_embed = nn.Sequential(
            nn.Linear(configuration.model_channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )

        def residual(channels: int, level: int) -> list[nn.Module]:
            layers: list[nn.Module] = [ResBlock(channels, levels[level], embedding)]
            if 2**level in configuration.attention_factors:
                layers.append(AttentionBlock(levels[level], configuration.head_channels))
            return layers

        channels = levels[0]
        self.input_blocks = nn.ModuleList(
            [Block(nn.Conv2d(configuration.in_channels, channels, 3, padding=1))]
        )
        skips = [channels]
        for level in range(len(levels)):
            for _ in range(configuration.residual_blocks):
                self.input_blocks.append(Block(*residual(channels, level)))
                channels = levels[level]
                skips.append(channels)
            if level < len(levels) - 1:
                self.input_blocks.append(Block(ResBlock(channels, channels, embedding, resampling="down")))
                skips.append(channels)
        self.middle_block = Block(
            ResBlock(channels, channels, embedding),
            AttentionBlock(channels, configuration.head_channels),
            ResBlock(channels, channels, embedding),
        )
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(levels))):
            for index in range(configuration.residual_blocks + 1):
                layers = residual(channels + skips.pop(), level)
                channels = levels[level]
                if level > 0 and index == configuration.residual_blocks:
                    layers.append(ResBlock(channels, channels, embedding, resampling="up"))
                self.output_blocks.append(Block(*layers))
        self.out = nn.Sequential(
            nn.GroupNorm(32, channels),
            nn.SiLU(),
            nn.Conv2d(channels, configuration.out_channels, 3, padding=1),
        )

    def forward(self, x: Tensor, timesteps: Tensor) -> Tensor:
        hidden, _ = self.decode(x, timesteps, wanted=frozenset(), last=len(self.output_blocks) - 1)
        return self.out(hidden)

    def activations(self, x: Tensor, timesteps: Tensor, blocks: list[int], stops_early: bool) -> list[Tensor]:
        """Of chosen output blocks, each at its own resolution. The reference runs the whole network."""
        last = max(blocks) if stops_early else len(self.output_blocks) - 1
        hidden, found = self.decode(x, timesteps, wanted=frozenset(blocks), last=last)
        if not stops_early:
            self.out(hidden)
        return found

    def decode(
        self, x: Tensor, timesteps: Tensor, wanted: frozenset[int], last: int
    ) -> tuple[Tensor, list[Tensor]]:
        """The network up to an output block, and the activations of the wanted ones."""
        embedding = self.time_embed(timestep_embedding(timesteps, self.configuration.model_channels))
        skips: list[Tensor] = []
        for block in self.input_blocks:
            x = block(x, embedding)
            skips.append(x)
        x = self.middle_block(x, embedding)
        found: list[Tensor] = []
        for index, block in enumerate(self.output_blocks[: last + 1]):
            x = block(torch.cat([x, skips.pop()], dim=1), embedding)
            if index in wanted:
                found.append(x)
        return x, found


def load_network(name: str, state: dict[str, Tensor]) -> UNet:
    """The network with the weights of a checkpoint, which it takes as they are, without a copy."""
    with torch.device("meta"):
        network = UNet(NETWORKS[name])
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)

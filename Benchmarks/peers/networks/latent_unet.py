"""Latent diffusion's U-Net in PyTorch, with the names of its checkpoints.

x: [N, C, h, w]; timesteps: [N]; context: [N, tokens, channels] or none; the result has the shape of x.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from networks.layers import AttentionBlock, ResBlock
from networks.unet import timestep_embedding

PREFIX = "model.diffusion_model."


@dataclass(frozen=True)
class LatentConfiguration:
    channels: int  # of the latents
    model_channels: int
    channel_mult: tuple[int, ...]
    residual_blocks: int
    attention_factors: frozenset[int]  # downsampling factors of the levels with attention
    head_channels: int = 0  # or else:
    heads: int = 0
    context_channels: int = 0  # 0 for attention blocks instead of transformers


NETWORKS = {
    "ldm-faces": LatentConfiguration(3, 224, (1, 2, 3, 4), 2, frozenset({2, 4, 8}), head_channels=32),
    "ldm-sd1": LatentConfiguration(
        4, 320, (1, 2, 4, 4), 2, frozenset({1, 2, 4}), heads=8, context_channels=768
    ),
}


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """[N, T, channels] each, heads side by side."""
    batch, _, channels = q.shape
    q, k, v = (part.reshape(batch, -1, heads, channels // heads).transpose(1, 2) for part in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, -1, channels)


class FusedAttentionBlock(AttentionBlock):
    """The same numbers without a matrix of all weights."""

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        flat = x.reshape(batch, channels, height * width)
        qkv = self.qkv(self.norm(flat))
        heads = channels // self.head_channels
        q, k, v = qkv.reshape(batch, heads, 3, self.head_channels, height * width).transpose(3, 4).unbind(2)
        attended = functional.scaled_dot_product_attention(q, k, v).transpose(2, 3)
        projected = self.proj_out(attended.reshape(batch, channels, height * width))
        return (flat + projected).reshape(batch, channels, height, width)


class CrossAttention(nn.Module):
    def __init__(self, channels: int, context_channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_channels, channels, bias=False)
        self.to_v = nn.Linear(context_channels, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.to_out(attend(self.to_q(x), self.to_k(context), self.to_v(context), self.heads))


class GatedLinear(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Linear(channels, 2 * hidden)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.proj(x).chunk(2, dim=-1)
        return x * functional.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        # Index 1 is the dropout of training.
        self.net = nn.Sequential(
            GatedLinear(channels, 4 * channels), nn.Identity(), nn.Linear(4 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, channels: int, context_channels: int, heads: int) -> None:
        super().__init__()
        self.attn1 = CrossAttention(channels, channels, heads)
        self.attn2 = CrossAttention(channels, context_channels, heads)
        self.ff = FeedForward(channels)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(channels) for _ in range(3))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        hidden = self.norm1(x)
        x = x + self.attn1(hidden, hidden)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """A transformer over all positions, plus the input."""

    def __init__(self, channels: int, context_channels: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(channels, context_channels, heads)])
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        hidden = self.proj_in(self.norm(x))
        tokens = hidden.flatten(2).transpose(1, 2)
        for block in self.transformer_blocks:
            tokens = block(tokens, context)
        return x + self.proj_out(tokens.transpose(1, 2).reshape(hidden.shape))


class Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Block(nn.Sequential):
    """Layers in a row; residual ones also get the embedding, transformers the context."""

    def forward(self, x: Tensor, embedding: Tensor, context: Tensor | None) -> Tensor:
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, embedding)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class LatentUNet(nn.Module):
    def __init__(self, configuration: LatentConfiguration) -> None:
        super().__init__()
        self.configuration = configuration
        levels = [configuration.model_channels * factor for factor in configuration.channel_mult]
        embedding = 4 * configuration.model_channels
        self.time_embed = nn.Sequential(
            nn.Linear(configuration.model_channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )

        def attention(channels: int) -> nn.Module:
            if configuration.context_channels:
                return SpatialTransformer(channels, configuration.context_channels, configuration.heads)
            return FusedAttentionBlock(channels, configuration.head_channels)

        def residual(channels: int, level: int) -> list[nn.Module]:
            layers: list[nn.Module] = [ResBlock(channels, levels[level], embedding, modulates=False)]
            if 2**level in configuration.attention_factors:
                layers.append(attention(levels[level]))
            return layers

        channels = levels[0]
        self.input_blocks = nn.ModuleList(
            [Block(nn.Conv2d(configuration.channels, channels, 3, padding=1))]
        )
        skips = [channels]
        for level in range(len(levels)):
            for _ in range(configuration.residual_blocks):
                self.input_blocks.append(Block(*residual(channels, level)))
                channels = levels[level]
                skips.append(channels)
            if level < len(levels) - 1:
                self.input_blocks.append(Block(Downsample(channels)))
                skips.append(channels)
        self.middle_block = Block(
            ResBlock(channels, channels, embedding, modulates=False),
            attention(channels),
            ResBlock(channels, channels, embedding, modulates=False),
        )
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(levels))):
            for index in range(configuration.residual_blocks + 1):
                layers = residual(channels + skips.pop(), level)
                channels = levels[level]
                if level > 0 and index == configuration.residual_blocks:
                    layers.append(Upsample(channels))
                self.output_blocks.append(Block(*layers))
        self.out = nn.Sequential(
            nn.GroupNorm(32, channels),
            nn.SiLU(),
            nn.Conv2d(channels, configuration.channels, 3, padding=1),
        )

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None) -> Tensor:
        *_, hidden = self.decode(x, timesteps, context, len(self.output_blocks) - 1)
        return self.out(hidden)

    def decode(self, x: Tensor, timesteps: Tensor, context: Tensor | None, last: int) -> list[Tensor]:
        """The activations of all output blocks up to one, each at its own resolution."""
        embedding = self.time_embed(timestep_embedding(timesteps, self.configuration.model_channels))
        skips: list[Tensor] = []
        for block in self.input_blocks:
            x = block(x, embedding, context)
            skips.append(x)
        x = self.middle_block(x, embedding, context)
        found: list[Tensor] = []
        for block in self.output_blocks[: last + 1]:
            x = block(torch.cat([x, skips.pop()], dim=1), embedding, context)
            found.append(x)
        return found


def load_latent_network(name: str, state: dict[str, Tensor]) -> LatentUNet:
    """The U-Net with the weights of a model's checkpoint, which it takes as they are, without a copy."""
    with torch.device("meta"):
        network = LatentUNet(NETWORKS[name])
    own = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    network.load_state_dict(own, strict=True, assign=True)
    return network.eval().requires_grad_(False)

"""Layers of guided-diffusion's U-Net, and of latent diffusion's. Attributes have the names of the checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ResBlock(nn.Module):
    """Norm, SiLU, convolution; norm modulated by the embedding, or of the sum with it, SiLU, convolution; plus
    the input."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        embedding: int,
        resampling: str | None = None,
        modulates: bool = True,
    ) -> None:
        super().__init__()
        self.resampling, self.modulates = resampling, modulates
        self.in_layers = nn.Sequential(
            nn.GroupNorm(32, channels), nn.SiLU(), nn.Conv2d(channels, out_channels, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(
            nn.SiLU(), nn.Linear(embedding, 2 * out_channels if modulates else out_channels)
        )
        # Index 2 is the dropout of training.
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, out_channels),
            nn.SiLU(),
            nn.Identity(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        self.skip_connection = (
            nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)
        )

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        norm, activation, convolution = self.in_layers
        hidden = convolution(self.resample(activation(norm(x))))
        told = self.emb_layers(embedding)[:, :, None, None]
        norm, *rest = self.out_layers
        if self.modulates:
            scale, shift = told.chunk(2, dim=1)
            hidden = norm(hidden) * (1 + scale) + shift
        else:
            hidden = norm(hidden + told)
        for layer in rest:
            hidden = layer(hidden)
        return self.skip_connection(self.resample(x)) + hidden

    def resample(self, x: Tensor) -> Tensor:
        if self.resampling == "up":
            return functional.interpolate(x, scale_factor=2.0, mode="nearest")
        if self.resampling == "down":
            return functional.avg_pool2d(x, 2)
        return x


class AttentionBlock(nn.Module):
    """Self-attention over all positions; the channels are those of one head after the other, each q, k, v."""

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.norm = nn.GroupNorm(32, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        flat = x.reshape(batch, channels, height * width)
        qkv = self.qkv(self.norm(flat))
        heads = batch * channels // self.head_channels
        q, k, v = qkv.reshape(heads, 3 * self.head_channels, height * width).chunk(3, dim=1)
        scale = self.head_channels**-0.25
        weights = torch.softmax(torch.bmm((q * scale).transpose(1, 2), k * scale), dim=-1)
        attended = torch.bmm(v, weights.transpose(1, 2)).reshape(batch, channels, height * width)
        return (flat + self.proj_out(attended)).reshape(batch, channels, height, width)

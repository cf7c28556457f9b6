"""Latent diffusion's autoencoders in PyTorch, with the names of their checkpoints."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class AutoencoderConfiguration:
    channel_mult: tuple[int, ...]
    latent_channels: int
    is_gaussian: bool  # means and variances instead of latents
    channels: int = 128
    residual_blocks: int = 2


KL_F8 = AutoencoderConfiguration((1, 2, 4, 4), 4, is_gaussian=True)
VQ_F4 = AutoencoderConfiguration((1, 2, 4), 3, is_gaussian=False)


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    """Norm, SiLU, convolution, twice; plus the input."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1 = norm(channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.norm2 = norm(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if channels != out_channels:
            self.nin_shortcut = nn.Conv2d(channels, out_channels, 1)
        self.widens = channels != out_channels

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv1(functional.silu(self.norm1(x)))
        hidden = self.conv2(functional.silu(self.norm2(hidden)))
        return (self.nin_shortcut(x) if self.widens else x) + hidden


class Attention(nn.Module):
    """Of one head over all positions, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(x)
        q, k, v = (layer(hidden).flatten(2).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))
        attended = functional.scaled_dot_product_attention(q, k, v)[:, 0]
        return x + self.proj_out(attended.transpose(1, 2).reshape(x.shape))


class Middle(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels)
        self.attn_1 = Attention(channels)
        self.block_2 = ResnetBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Downsample(nn.Module):
    """Zeros to the right and below alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    def __init__(self, channels: int, out_channels: int, blocks: int, resampling: str | None) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            ResnetBlock(out_channels if index else channels, out_channels) for index in range(blocks)
        )
        if resampling == "down":
            self.downsample = Downsample(out_channels)
        if resampling == "up":
            self.upsample = Upsample(out_channels)
        self.resampling = resampling

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        if self.resampling == "down":
            return self.downsample(x)
        return self.upsample(x) if self.resampling == "up" else x


class Encoder(nn.Module):
    def __init__(self, configuration: AutoencoderConfiguration) -> None:
        super().__init__()
        channels = configuration.channels
        widths = [channels * factor for factor in configuration.channel_mult]
        self.conv_in = nn.Conv2d(3, channels, 3, padding=1)
        self.down = nn.ModuleList(
            Level(
                widths[max(level - 1, 0)] if level else channels,
                width,
                configuration.residual_blocks,
                "down" if level < len(widths) - 1 else None,
            )
            for level, width in enumerate(widths)
        )
        self.mid = Middle(widths[-1])
        self.norm_out = norm(widths[-1])
        outputs = configuration.latent_channels * (2 if configuration.is_gaussian else 1)
        self.conv_out = nn.Conv2d(widths[-1], outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        return self.conv_out(functional.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    def __init__(self, configuration: AutoencoderConfiguration) -> None:
        super().__init__()
        widths = [configuration.channels * factor for factor in configuration.channel_mult]
        self.conv_in = nn.Conv2d(configuration.latent_channels, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1])
        # The finest first; run from the last.
        self.up = nn.ModuleList(
            Level(
                widths[min(level + 1, len(widths) - 1)],
                width,
                configuration.residual_blocks + 1,
                "up" if level else None,
            )
            for level, width in enumerate(widths)
        )
        self.norm_out = norm(widths[0])
        self.conv_out = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid(self.conv_in(x))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(functional.silu(self.norm_out(x)))


class FirstStage(nn.Module):
    """The half that makes latents: means and variances, [N, 2 · latent, h, w], or latents before the codebook."""

    def __init__(self, configuration: AutoencoderConfiguration) -> None:
        super().__init__()
        outputs = configuration.latent_channels * (2 if configuration.is_gaussian else 1)
        self.encoder = Encoder(configuration)
        self.quant_conv = nn.Conv2d(outputs, outputs, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.quant_conv(self.encoder(pictures))


class Autoencoder(FirstStage):
    """[N, 3, H, W] to means and variances, and the pictures of the means."""

    def __init__(self, configuration: AutoencoderConfiguration) -> None:
        super().__init__(configuration)
        self.decoder = Decoder(configuration)
        self.post_quant_conv = nn.Conv2d(configuration.latent_channels, configuration.latent_channels, 1)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        moments = super().forward(pictures)
        mean = moments.chunk(2, dim=1)[0]
        return [moments, self.decoder(self.post_quant_conv(mean))]


def load_autoencoder(state: dict[str, Tensor]) -> Autoencoder:
    """The autoencoder of factor 8."""
    with torch.device("meta"):
        network = Autoencoder(KL_F8)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def load_first_stage(state: dict[str, Tensor], prefix: str = "first_stage_model.") -> FirstStage:
    """The encoder of a model of faces, without what decodes."""
    with torch.device("meta"):
        network = FirstStage(VQ_F4)
    own = {name: state[prefix + name] for name in network.state_dict()}
    network.load_state_dict(own, strict=True, assign=True)
    return network.eval().requires_grad_(False)

"""The encoder of a masked autoencoder. Attributes have the names of the checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(*qkv)
        return self.proj(attended.transpose(1, 2).reshape(batch, tokens, width))


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = FeedForward(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbedding(nn.Module):
    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, side, stride=side)


class Encoder(nn.Module):
    """Maps of the last blocks, [1, width, rows, columns] each."""

    def __init__(
        self, width: int, depth: int, heads: int, hidden: int, patch: int, positions: int, last: int
    ) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, positions, width))
        self.patch_embed = PatchEmbedding(width, patch)
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(depth))
        self.last = last

    def forward(self, x: Tensor) -> list[Tensor]:
        patches = self.patch_embed.proj(x)
        rows, columns = patches.shape[2:]
        tokens = patches.flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        tokens = torch.cat([self.cls_token + self.pos_embed[:, :1], tokens], dim=1)
        found = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index >= len(self.blocks) - self.last:
                found.append(tokens[:, 1:].transpose(1, 2).reshape(1, -1, rows, columns))
        return found


def load_mae(state: dict[str, Tensor], last: int = 12) -> Encoder:
    """Without decoder and last normalisation, which features do not need."""
    width, _, patch, _ = state["patch_embed.proj.weight"].shape
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    hidden = state["blocks.0.mlp.fc1.weight"].shape[0]
    with torch.device("meta"):
        network = Encoder(width, depth, width // 64, hidden, patch, state["pos_embed"].shape[1], last)
    own = {name: state[name] for name in network.state_dict()}
    network.load_state_dict(own, strict=True, assign=True)
    return network.eval().requires_grad_(False)

"""A residual network of bottlenecks. Attributes have the names of torchvision's checkpoints."""

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    def __init__(self, channels: int, width: int, stride: int, downsamples: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
            if downsamples
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.relu(self.bn1(self.conv1(x)))
        hidden = self.relu(self.bn2(self.conv2(hidden)))
        hidden = self.bn3(self.conv3(hidden))
        return self.relu(hidden + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Inputs of every second block, up to the last of them."""

    def __init__(self, stem: int, counts: list[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = stem
        for stage, count in enumerate(counts):
            width = stem << stage
            blocks = []
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(Bottleneck(channels, width, stride, index == 0))
                channels = 4 * width
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.stages = len(counts)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        found = []
        for stage in range(1, self.stages + 1):
            blocks = getattr(self, f"layer{stage}")
            for index, block in enumerate(blocks):
                if index % 2 == 0:
                    found.append(x)
                    # Nothing behind the last input that is asked for.
                    if stage == self.stages and index + 2 >= len(blocks):
                        return found
                x = block(x)
        return found


def load_resnet(state: dict[str, Tensor]) -> ResNet:
    stages = 1 + max(int(name[5]) for name in state if name.startswith("layer")) - 1
    counts = [
        1 + max(int(name.split(".")[1]) for name in state if name.startswith(f"layer{stage}."))
        for stage in range(1, stages + 1)
    ]
    network = ResNet(state["conv1.weight"].shape[0], counts)
    # Counters of batches need not be there.
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    return network.eval().requires_grad_(False)

"""The classifiers of ddpm-segmentation: one MLP a member, votes and uncertainty of an ensemble."""

import torch
from torch import Tensor, nn


class PixelClassifier(nn.Module):
    """[N, features] to [N, classes]."""

    def __init__(self, features: int, classes: int, widths: tuple[int, int] = (128, 32)) -> None:
        super().__init__()
        first, second = widths
        self.layers = nn.Sequential(
            nn.Linear(features, first),
            nn.ReLU(),
            nn.BatchNorm1d(first),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.BatchNorm1d(second),
            nn.Linear(second, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def load_ensemble(state: dict[str, Tensor], members: int) -> list[PixelClassifier]:
    """From tensors `member.{i}.layers.…`."""
    ensemble = []
    for index in range(members):
        prefix = f"member.{index}."
        own = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
        classes, features = own["layers.6.weight"].shape[0], own["layers.0.weight"].shape[1]
        member = PixelClassifier(features, classes)
        member.load_state_dict(own, strict=True)
        ensemble.append(member.eval().requires_grad_(False))
    return ensemble


def vote(ensemble: list[PixelClassifier], x: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and uncertainty of pixels: [N, features] to [N] each.

    The label is the class that most members choose, the smallest of equals; the uncertainty is the entropy
    of the mean probabilities less the mean entropy.
    """
    votes: list[Tensor] = []
    mean, entropy = torch.zeros(()), torch.zeros(())
    for member in ensemble:
        logits = member(x)
        entropy = entropy + torch.distributions.Categorical(logits=logits).entropy()
        mean = mean + torch.softmax(logits, dim=1)
        votes.append(logits.argmax(dim=1))
    count = len(ensemble)
    uncertainty = torch.distributions.Categorical(probs=mean / count).entropy() - entropy / count
    return torch.mode(torch.stack(votes), dim=0).values, uncertainty

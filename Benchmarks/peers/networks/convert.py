"""Checkpoints in the forms that others read.

python -m networks.convert onnx NETWORK CHECKPOINT BATCH OUTPUT     for a batch of this size
python -m networks.convert pickle CHECKPOINT OUTPUT                 PyTorch's own format
"""

import sys

import torch
from safetensors.torch import load_file

from networks.unet import NETWORKS, load_network


def write_onnx(name: str, checkpoint: str, batch: str, output: str) -> None:
    side = NETWORKS[name].side
    example = (torch.zeros(int(batch), 3, side, side), torch.zeros(int(batch)))
    # The exporter that traces needs no further package, and writes large weights into files beside.
    torch.onnx.export(
        load_network(name, load_file(checkpoint)),
        example,
        output,
        input_names=["x", "timesteps"],
        output_names=["y"],
        opset_version=17,
        dynamo=False,
    )


def write_pickle(checkpoint: str, output: str) -> None:
    torch.save(load_file(checkpoint), output)


if __name__ == "__main__":
    {"onnx": write_onnx, "pickle": write_pickle}[sys.argv[1]](*sys.argv[2:])

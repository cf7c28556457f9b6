"""What is compared, by whom, and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness import contenders
from harness.checks import Check, close_outputs, same_labels, same_steps, same_training
from harness.contenders import OURS, Contender
from harness.inputs import BATCH, BLOCKS, CLASSES, MEMBERS, SIDE, STEPS, Inputs


@dataclass(frozen=True)
class Plan:
    """A block is one contender's turn; a round is a block of each."""

    rounds: int
    iterations: int  # of a block
    warm_up: int  # iterations before them that do not count
    # For what fills the memory: a new process for each block, instead of processes that wait for their turns.
    fresh: bool = False


@dataclass(frozen=True)
class Work:
    key: str
    title: str
    contenders: list[Contender]
    describe: Callable[[Inputs], dict[str, Any]]  # the command that prepares it
    check: Check
    full: Plan
    quick: Plan
    quick_leaves_out: frozenset[str] = frozenset()  # keys of contenders
    # Made by our side's first output, for the others to start from.
    shared_output: str | None = None


def forward(
    key: str,
    title: str,
    network: str,
    batch: int,
    side: int,
    full: Plan,
    quick: Plan,
    quick_leaves_out: frozenset[str] = frozenset(),
) -> Work:
    compiled = [contenders.PYTORCH_COMPILED] if network == "small64" else []
    return Work(
        key,
        title,
        [
            OURS,
            contenders.PYTORCH,
            contenders.PYTORCH_JEMALLOC,
            contenders.PYTORCH_CHANNELS_LAST,
            *compiled,
            contenders.ONNX_RUNTIME,
            contenders.OPENVINO,
        ],
        lambda inputs: {
            "work": "forward",
            "network": network,
            "checkpoint": str(inputs.checkpoint(network)),
            "onnx": str(inputs.onnx(network, batch)),
            "x": str(inputs.normal(f"x-{batch}-{side}", (batch, 3, side, side))),
            "timesteps": [50.0 + 100 * index for index in range(batch)],
        },
        close_outputs(1e-4),
        full,
        quick,
        quick_leaves_out,
    )


def job() -> Work:
    return Work(
        "job",
        f"one picture of {SIDE} px, 3 steps, 5 blocks, {MEMBERS} members: labels and uncertainty",
        [
            OURS,
            contenders.PYTORCH,
            contenders.PYTORCH_JEMALLOC,
            contenders.PYTORCH_CHANNELS_LAST,
            contenders.PYTORCH_SHORT,
        ],
        lambda inputs: {
            "work": "job",
            "network": "lsun256",
            "checkpoint": str(inputs.checkpoint("lsun256")),
            "ensemble": str(inputs.ensemble()),
            "members": MEMBERS,
            "picture": str(inputs.picture()),
            "noise": str(inputs.normal("noise", (3, SIDE, SIDE))),
            "steps": STEPS,
            "blocks": BLOCKS,
        },
        same_labels(share=1e-3, limit=1e-3),
        Plan(rounds=3, iterations=1, warm_up=1, fresh=True),
        Plan(rounds=1, iterations=1, warm_up=0, fresh=True),
        frozenset({"pytorch-jemalloc", "pytorch-short"}),
    )


def features(key: str, title: str, full: Plan, quick: Plan) -> Work:
    return Work(
        key,
        title,
        [
            OURS,
            contenders.PYTORCH,
            contenders.PYTORCH_JEMALLOC,
            contenders.PYTORCH_CHANNELS_LAST,
            contenders.PYTORCH_COMPILED,
        ],
        lambda inputs: {
            "work": "features",
            "network": key,
            "checkpoint": str(inputs.checkpoint(key)),
            "picture": str(inputs.normal(f"normal-{SIDE}", (3, SIDE, SIDE))),
        },
        close_outputs(1e-4),
        full,
        quick,
        # Compiling takes longer than all the rest of it.
        frozenset({"pytorch-compile"}),
    )


# Latent diffusion. Compiling takes longer than all the rest of it.
LATENT_CONTENDERS = [
    OURS,
    contenders.PYTORCH,
    contenders.PYTORCH_JEMALLOC,
    contenders.PYTORCH_CHANNELS_LAST,
    contenders.PYTORCH_COMPILED_JEMALLOC,
]
SLOW_TO_START = frozenset({"pytorch-compile-jemalloc"})


def latent_features() -> Work:
    side = SIDE // 4
    return Work(
        "ldm-features",
        f"features of one picture of {SIDE} px: latent diffusion's model of faces, 3 steps, blocks 5 to 8",
        LATENT_CONTENDERS,
        lambda inputs: {
            "work": "features",
            "network": "ldm-faces",
            "checkpoint": str(inputs.checkpoint("ldm-faces")),
            "picture": str(inputs.picture()),
            "settings": {
                "steps": ",".join(map(str, STEPS)),
                "blocks": "5,6,7,8",
                "noise": str(inputs.normal(f"noise-{side}", (3, side, side))),
            },
        },
        close_outputs(1e-4),
        Plan(rounds=5, iterations=1, warm_up=1, fresh=True),
        Plan(rounds=2, iterations=1, warm_up=1, fresh=True),
        SLOW_TO_START,
    )


def latent_forward(
    key: str, title: str, network: str, shape: tuple[int, ...], context: tuple[int, ...] | None = None
) -> Work:
    def describe(inputs: Inputs) -> dict[str, Any]:
        command: dict[str, Any] = {
            "work": "latent-forward",
            "network": network,
            "checkpoint": str(inputs.checkpoint(network)),
            "x": str(inputs.normal("x-" + "-".join(map(str, shape)), shape)),
            "timesteps": [50.0],
        }
        if context:
            command["context"] = str(inputs.normal("context-" + "-".join(map(str, context)), context))
        return command

    return Work(
        key,
        title,
        LATENT_CONTENDERS,
        describe,
        close_outputs(1e-4),
        Plan(rounds=5, iterations=2, warm_up=1, fresh=True),
        Plan(rounds=2, iterations=2, warm_up=1, fresh=True),
        SLOW_TO_START,
    )


def autoencoder() -> Work:
    return Work(
        "ldm-autoencoder",
        f"a picture of {SIDE} px to its latent and back: latent diffusion's autoencoder kl-f8",
        LATENT_CONTENDERS,
        lambda inputs: {
            "work": "autoencoder",
            "network": "ldm-autoencoder",
            "checkpoint": str(inputs.checkpoint("ldm-autoencoder")),
            "picture": str(inputs.picture()),
        },
        close_outputs(1e-4),
        Plan(rounds=5, iterations=2, warm_up=1, fresh=True),
        Plan(rounds=2, iterations=2, warm_up=1, fresh=True),
        SLOW_TO_START,
    )


def training() -> Work:
    return Work(
        "training",
        f"training iteration of one member, 8448 features, batch {BATCH}",
        [OURS, contenders.TEN_MEMBERS, contenders.PYTORCH, contenders.PYTORCH_FUSED],
        lambda inputs: {
            "work": "training",
            "features": str(inputs.features()),
            "steps": STEPS,
            "blocks": BLOCKS,
            "labels": str(inputs.labels("labels", 128 * BATCH)),
            "batchLabels": str(inputs.labels("batch", BATCH)),
            "batchIterations": 5,
            "classes": CLASSES,
            "members": 1,
        },
        same_training(loss_limit=1e-4, weight_limit=2e-2),
        Plan(rounds=5, iterations=128, warm_up=16),
        Plan(rounds=2, iterations=128, warm_up=16),
        shared_output="initial.safetensors",
    )


def diffusion_step() -> Work:
    batch, side = 16, 64
    return Work(
        "diffusion-step",
        f"training step of a diffusion model, {side} px, 32 channels, batch {batch}",
        [
            OURS,
            contenders.PYTORCH,
            contenders.PYTORCH_JEMALLOC,
            contenders.PYTORCH_CHANNELS_LAST,
            contenders.PYTORCH_COMPILED,
            contenders.PYTORCH_COMPILED_JEMALLOC,
            contenders.PYTORCH_COMPILED_CHANNELS_LAST,
        ],
        lambda inputs: {
            "work": "diffusion-step",
            "network": "small32",
            "checkpoint": str(inputs.checkpoint("small32")),
            "pictures": str(inputs.pictures(batch, side)),
            "learningRate": 1e-4,
            "gradientNorm": 1.0,
            # Fast enough for a few steps to show in single precision.
            "averageDecay": 0.99,
            "comparedSteps": 3,
        },
        same_steps(number_limit=1e-5, gradient_limit=1e-4, parameter_limit=3e-3, weight_limit=2e-2),
        Plan(rounds=4, iterations=3, warm_up=1),
        Plan(rounds=2, iterations=2, warm_up=1),
        # Compiling takes longer than all the rest of it.
        frozenset(
            {
                "pytorch-jemalloc",
                "pytorch-compile",
                "pytorch-compile-jemalloc",
                "pytorch-compile-channels-last",
            }
        ),
        shared_output="batches.safetensors",
    )


LOADERS = [OURS, contenders.PYTORCH, contenders.PYTORCH_MAPPED, contenders.PYTORCH_SAFETENSORS]


def lsun_files(inputs: Inputs) -> dict[str, str]:
    return {"checkpoint": str(inputs.pickle("lsun256")), "safetensors": str(inputs.checkpoint("lsun256"))}


def read() -> Work:
    return Work(
        "read",
        "reading every number of the LSUN checkpoint, 2.2 GB, from the page cache",
        LOADERS,
        lambda inputs: {"work": "read", **lsun_files(inputs)},
        close_outputs(1e-4),
        Plan(rounds=5, iterations=2, warm_up=1),
        Plan(rounds=1, iterations=1, warm_up=1),
    )


def load() -> Work:
    return Work(
        "load",
        "from the LSUN checkpoint, 2.2 GB in the page cache, to a first forward of 64 px",
        LOADERS,
        lambda inputs: {
            "work": "load",
            "network": "lsun256",
            **lsun_files(inputs),
            "x": str(inputs.normal("x-1-64", (1, 3, 64, 64))),
            "timesteps": [50.0],
        },
        close_outputs(1e-4),
        Plan(rounds=5, iterations=2, warm_up=1),
        Plan(rounds=1, iterations=1, warm_up=1),
    )


def product() -> Work:
    size = 2048
    return Work(
        "gemm",
        f"matrix product {size} × {size} × {size}",
        [OURS, contenders.PYTORCH],
        lambda inputs: {
            "work": "product",
            "x": str(inputs.normal("x", (size, size))),
            "weight": str(inputs.normal("weight", (size, size))),
        },
        close_outputs(1e-5),
        Plan(rounds=7, iterations=10, warm_up=2),
        Plan(rounds=5, iterations=5, warm_up=1),
    )


def all_works() -> list[Work]:
    return [
        forward(
            "lsun",
            "LSUN-256 forward, batch 1",
            "lsun256",
            1,
            256,
            Plan(rounds=5, iterations=1, warm_up=1, fresh=True),
            Plan(rounds=1, iterations=1, warm_up=1, fresh=True),
            frozenset({"pytorch-jemalloc"}),
        ),
        forward(
            "small-1",
            "64 px, 64 channels, batch 1",
            "small64",
            1,
            64,
            Plan(rounds=9, iterations=10, warm_up=2),
            Plan(rounds=5, iterations=5, warm_up=2),
        ),
        forward(
            "small-8",
            "64 px, 64 channels, batch 8",
            "small64",
            8,
            64,
            Plan(rounds=7, iterations=3, warm_up=1),
            Plan(rounds=3, iterations=2, warm_up=1),
            # Compiling takes longer than all the rest of it.
            frozenset({"pytorch-compile"}),
        ),
        job(),
        features(
            "mae",
            f"features of one picture of {SIDE} px: ViT-L/8 of a masked autoencoder, last 12 blocks",
            Plan(rounds=5, iterations=1, warm_up=1),
            Plan(rounds=2, iterations=1, warm_up=1),
        ),
        features(
            "swav",
            f"features of one picture of {SIDE} px: SwAV's ResNet-50, 9 maps",
            Plan(rounds=7, iterations=10, warm_up=2),
            Plan(rounds=3, iterations=5, warm_up=2),
        ),
        features(
            "swav_w2",
            f"features of one picture of {SIDE} px: SwAV's ResNet-50, twice as wide, 9 maps",
            Plan(rounds=7, iterations=5, warm_up=2),
            Plan(rounds=3, iterations=3, warm_up=1),
        ),
        latent_features(),
        latent_forward(
            "ldm-unet",
            "a forward of the U-Net of latent diffusion's model of faces, batch 1",
            "ldm-faces",
            (1, 3, 64, 64),
        ),
        latent_forward(
            "ldm-sd1",
            "a forward of Stable Diffusion 1's U-Net, latents of 64 × 64, 77 tokens, batch 1",
            "ldm-sd1",
            (1, 4, 64, 64),
            (1, 77, 768),
        ),
        autoencoder(),
        training(),
        diffusion_step(),
        read(),
        load(),
        product(),
    ]

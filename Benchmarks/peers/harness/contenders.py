"""Who is compared."""

import importlib.util
import os
import sys
from dataclasses import dataclass

from harness.setup import PEERS, cache_folder, contender_path, find_jemalloc

# They force kernels by hand; every contender chooses for itself instead.
UNSET = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}


@dataclass(frozen=True)
class Contender:
    key: str
    title: str
    program: str  # ours, or a module in contenders/
    settings: tuple[str, ...] = ()  # of pytorch.py
    jemalloc: bool = False
    fields: tuple[tuple[str, object], ...] = ()  # added to the command that describes the work

    @property
    def is_ours(self) -> bool:
        return self.program == "ours"

    @property
    def is_available(self) -> bool:
        package = {"pytorch": "torch", "onnx_runtime": "onnxruntime", "openvino_cpu": "openvino"}.get(
            self.program
        )
        return (package is None or importlib.util.find_spec(package) is not None) and (
            not self.jemalloc or find_jemalloc() is not None
        )

    def command(self, threads: int) -> list[str]:
        if self.is_ours:
            return [str(contender_path())]
        settings = [word for name in self.settings for word in ("--setting", name)]
        return [sys.executable, "-m", f"contenders.{self.program}", "--threads", str(threads), *settings]

    def environment(self, threads: int) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in UNSET}
        environment |= {"PYTHONPATH": str(PEERS), "OMP_NUM_THREADS": str(threads)}
        environment["TORCHINDUCTOR_CACHE_DIR"] = str(cache_folder() / "inductor")
        if self.jemalloc:
            environment["LD_PRELOAD"] = str(find_jemalloc())
            # Freed memory is kept, so that it is not mapped again and again.
            environment["MALLOC_CONF"] = "dirty_decay_ms:-1,muzzy_decay_ms:-1"
        return environment


OURS = Contender("ours", "DiffusionSegmentation", "ours")
TEN_MEMBERS = Contender(
    "ours-10", "DiffusionSegmentation, ten members side by side", "ours", fields=(("members", 10),)
)
PYTORCH = Contender("pytorch", "PyTorch", "pytorch")
PYTORCH_JEMALLOC = Contender("pytorch-jemalloc", "PyTorch, jemalloc", "pytorch", jemalloc=True)
PYTORCH_CHANNELS_LAST = Contender(
    "pytorch-channels-last", "PyTorch, channels_last, jemalloc", "pytorch", ("channels_last",), jemalloc=True
)
PYTORCH_COMPILED = Contender("pytorch-compile", "PyTorch, torch.compile", "pytorch", ("compiles",))
PYTORCH_COMPILED_JEMALLOC = Contender(
    "pytorch-compile-jemalloc", "PyTorch, torch.compile, jemalloc", "pytorch", ("compiles",), jemalloc=True
)
PYTORCH_COMPILED_CHANNELS_LAST = Contender(
    "pytorch-compile-channels-last",
    "PyTorch, torch.compile, channels_last, jemalloc",
    "pytorch",
    ("compiles", "channels_last"),
    jemalloc=True,
)
PYTORCH_SHORT = Contender(
    "pytorch-short",
    "PyTorch, stopped after the last block, jemalloc",
    "pytorch",
    ("stops_early",),
    jemalloc=True,
)
PYTORCH_FUSED = Contender("pytorch-fused", "PyTorch, fused Adam", "pytorch", ("fused",))
PYTORCH_MAPPED = Contender("pytorch-mmap", "PyTorch, torch.load(mmap=True)", "pytorch", ("mapped",))
PYTORCH_SAFETENSORS = Contender("pytorch-safetensors", "PyTorch, safetensors", "pytorch", ("safetensors",))
ONNX_RUNTIME = Contender("onnxruntime", "ONNX Runtime", "onnx_runtime")
OPENVINO = Contender("openvino", "OpenVINO, f32", "openvino_cpu")

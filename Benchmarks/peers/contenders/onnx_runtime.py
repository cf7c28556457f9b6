"""ONNX Runtime's CPU provider."""

import argparse
from pathlib import Path

import numpy
import onnxruntime

from contenders.protocol import Command, Work, serve


class ForwardWork(Work):
    def __init__(self, command: Command, threads: int) -> None:
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(command["onnx"], options, ["CPUExecutionProvider"])
        self.inputs = {
            "x": numpy.load(command["x"]),
            "timesteps": numpy.array(command["timesteps"], dtype=numpy.float32),
        }

    def run_once(self) -> numpy.ndarray:
        return self.session.run(["y"], self.inputs)[0]

    def write(self, result: numpy.ndarray, folder: Path) -> None:
        numpy.save(folder / "output.npy", result)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    threads = parser.parse_args().threads
    serve(
        {"forward": lambda command: ForwardWork(command, threads)}, {"ONNX Runtime": onnxruntime.__version__}
    )


if __name__ == "__main__":
    main()

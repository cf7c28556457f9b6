"""OpenVINO's CPU device, held to 32-bit floats."""

import argparse
from pathlib import Path

import numpy
import openvino
from openvino import properties

from contenders.protocol import Command, Work, serve


class ForwardWork(Work):
    def __init__(self, command: Command, threads: int) -> None:
        super().__init__()
        core = openvino.Core()
        compiled = core.compile_model(
            core.read_model(command["onnx"]),
            "CPU",
            {
                properties.hint.inference_precision: openvino.Type.f32,
                properties.hint.performance_mode: properties.hint.PerformanceMode.LATENCY,
                properties.inference_num_threads: threads,
            },
        )
        self.request = compiled.create_infer_request()
        self.inputs = {
            "x": numpy.load(command["x"]),
            "timesteps": numpy.array(command["timesteps"], dtype=numpy.float32),
        }

    def run_once(self) -> numpy.ndarray:
        return self.request.infer(self.inputs)[0]

    def write(self, result: numpy.ndarray, folder: Path) -> None:
        numpy.save(folder / "output.npy", result)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    threads = parser.parse_args().threads
    serve({"forward": lambda command: ForwardWork(command, threads)}, {"OpenVINO": openvino.get_version()})


if __name__ == "__main__":
    main()

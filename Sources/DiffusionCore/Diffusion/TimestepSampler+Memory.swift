import Base
import Checkpoints
import TensorCore
import Training

extension TimestepSampler {
  /// Losses by step, and how many there are.
  var memory: [NamedTensor] {
    if history.isEmpty { return [] }
    let length = Self.historyLength
    let losses = history.flatMap { $0 + [Float](repeating: 0, count: length - $0.count) }
    return [
      NamedTensor(name: "timesteps.losses", tensor: Tensor(losses, shape: [steps, length])),
      NamedTensor(
        name: "timesteps.counts", tensor: Tensor(history.map { Float($0.count) }, shape: [steps])),
    ]
  }

  init(_ sampling: TimestepSampling, steps: Int, from reader: StateReader) throws(DataError) {
    let length = Self.historyLength
    let lossTensor = try reader.tensor(
      "timesteps.losses", shape: [steps, length], "finite numbers", \.isFinite)
    let countTensor = try reader.tensor(
      "timesteps.counts", shape: [steps], "whole numbers from 0 to \(length)"
    ) { $0 >= 0 && $0 <= Float(length) && $0 == $0.rounded() }
    try reader.finish()
    let (losses, counts) = (lossTensor.elements, countTensor.elements)
    self.init(
      sampling, steps: steps,
      history: counts.enumerated().map { step, count in
        Array(losses[step * length..<step * length + Int(count)])
      })
  }
}

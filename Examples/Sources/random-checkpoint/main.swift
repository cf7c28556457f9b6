// Writes a guided-diffusion checkpoint with random weights, for trying things out without a trained model:
//
//   random-checkpoint tiny tiny.safetensors         two levels, 16-pixel pictures and larger
//   random-checkpoint lsun256 lsun256.safetensors   the network of the published LSUN checkpoints, 2.2 GB
//   random-checkpoint names.tsv model.safetensors   the tensors listed in a table: name, tab, shape as AxBxC

import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import TensorCore

let networks: [String: UNetConfiguration] = [
  "tiny": UNetConfiguration(
    modelChannels: 32, outChannels: 6, channelMult: [1, 2], residualBlocks: 1,
    attentionDownsampleFactors: [2],
    resampling: .residual, usesScaleShiftNorm: true, attention: AttentionSettings(heads: .channels(32))),
  "lsun256": UNetConfiguration(
    modelChannels: 256, outChannels: 6, channelMult: [1, 1, 2, 2, 4, 4], residualBlocks: 2,
    attentionDownsampleFactors: [8, 16, 32], resampling: .residual, usesScaleShiftNorm: true),
]

func shapes(_ source: String) throws -> [(name: String, shape: [Int])] {
  if let network = networks[source] { return try UNet.parameterShapes(network) }
  return try String(contentsOfFile: source, encoding: .utf8).split(separator: "\n").compactMap { line in
    let cells = line.split(separator: "\t")
    let shape = cells.count > 1 ? cells[1].split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) } : []
    return shape.isEmpty ? nil : (String(cells[0]), shape)
  }
}

/// Weights that keep activations near 1: deviation 1 / sqrt(inputs); normalisations near the identity.
func randomTensor(_ name: String, _ shape: [Int], random: Philox) -> Tensor {
  var random = random
  let noise = random.normal(shape: shape)
  guard shape.count == 1 else {
    return noise * Float(1 / Double(shape.dropFirst().reduce(1, *)).squareRoot())
  }
  return name.hasSuffix("weight") ? noise * 0.1 + Tensor(repeating: 1, shape: shape) : noise * 0.1
}

guard CommandLine.arguments.count == 3 else {
  print("usage: random-checkpoint tiny|lsun256|names.tsv OUTPUT.safetensors")
  exit(64)
}
do {
  var writer = SafetensorsWriter()
  for (index, parameter) in try shapes(CommandLine.arguments[1]).enumerated() {
    let random = Philox(seed: 1).split(UInt64(index))
    writer.append(parameter.name, randomTensor(parameter.name, parameter.shape, random: random))
  }
  try writer.write(to: CommandLine.arguments[2])
} catch {
  print("error: \(error)")
  exit(1)
}

import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import PixelClassifier
import Workloads

/// Training iterations of pixel classifiers.
///
/// For comparison it trains on a single batch, whose order does not matter, for some epochs.
struct TrainingWork: PreparedWork {
  private struct Inputs: Decodable {
    /// Tensors `{step}.{block}`, `[C, h, w]`, the maps of one picture.
    var features: String
    var steps: [Int]
    var blocks: [Int]
    /// `[H, W]`, 255 for pixels that are left out.
    var labels: String
    /// The same with one batch of pixels.
    var batchLabels: String
    var batchIterations: Int
    var classes: Int
    var members: Int
  }
  private let training: ClassifierTraining
  private let oneBatch: ClassifierTraining
  private let batchIterations: Int
  private let members: Int

  init(inputs: Data) throws {
    let inputs = try JSONDecoder().decode(Inputs.self, from: inputs)
    let labels = try NpyFile(contentsOf: inputs.labels).array
    let checkpoint = try Checkpoint(contentsOf: inputs.features)
    let maps = try inputs.steps.flatMap { step in
      try inputs.blocks.map { block in
        let order = 1000 * inputs.steps.firstIndex(of: step)! + block
        let planes = try checkpoint.tensor(named: "\(step).\(block)")
        return FeatureMap(
          FeatureKey("step\(step)/block\(block)", order: order),
          activation: planes.reshaped([1] + planes.shape).channelsLast)
      }
    }
    let features = FeatureMaps(maps: maps, height: labels.shape[0], width: labels.shape[1])
    training = try ClassifierTraining(features: features, labels: labels.uint8s(), classes: inputs.classes)
    oneBatch = try ClassifierTraining(
      features: features, labels: NpyFile(contentsOf: inputs.batchLabels).array.uint8s(),
      classes: inputs.classes)
    batchIterations = inputs.batchIterations
    members = inputs.members
  }

  /// `initial.safetensors`, `trained.safetensors` and the loss of each iteration, `losses.npy`.
  func writeOutput(to folder: String) throws {
    let (classifier, losses, _) = try oneBatch.trainMember(epochs: batchIterations)
    try write(oneBatch.initialClassifier(), to: "\(folder)/initial.safetensors")
    try write(classifier, to: "\(folder)/trained.safetensors")
    try NpyFile.write(NumericArray(losses, shape: [losses.count]), to: "\(folder)/losses.npy")
  }

  private func write(_ classifier: PixelMLP, to path: String) throws(DataError) {
    var writer = SafetensorsWriter()
    for tensor in classifier.namedTensors { writer.append(tensor.name, tensor.array) }
    try writer.write(to: path)
  }

  /// One member: whole epochs, and the time from the end of an iteration to that of the next. Several: one
  /// epoch, and the time of it, initial weights and all, by the iterations of all members.
  func run(iterations: Int) throws -> [Double] {
    if members == 1 {
      let epochs = (iterations + training.iterations - 1) / training.iterations
      let ends = try training.trainMember(epochs: epochs).ends
      return zip(ends.dropFirst(), ends).map { ($0 - $1) / .seconds(1) }
    }
    let start = ContinuousClock.now
    let ensemble = try training.trainMembers(members)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    return [seconds / Double(ensemble.members.count * training.iterations)]
  }
}

// Trains a segmenter on a few labelled pictures and labels another one:
//
//   segment CHECKPOINT FOLDER PICTURE [SECONDS]
//
// FOLDER holds x.png beside x.npy with labels 0 and 1. After SECONDS the work is cancelled and the program ends with 2.

import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images

guard (4...5).contains(CommandLine.arguments.count) else {
  print("usage: segment CHECKPOINT FOLDER PICTURE [SECONDS]")
  exit(64)
}
let (checkpoint, folder, picture) = (
  CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3]
)

/// Trains on a thread of its own, so that this task can be cancelled, and the memory that it asks for has a limit.
func train() async throws(DataError) -> Segmenter {
  // What this checkpoint's weights do not tell, and which activations are the features.
  let settings = ["head-channels": "32", "image-size": "32", "steps": "50,150,250", "blocks": "1,3"]
  let features = try BackboneRegistry.standard.features(
    of: Checkpoint(contentsOf: checkpoint), settings: settings)
  let labelled = try LabelledImages(directory: folder, classes: .init(count: 2))
  return try await Segmenter.train(
    on: labelled, features: features, options: .init(members: 3, epochs: 1, maxEpochs: 1)
  ) { progress in
    if case .features(let done, let count) = progress { print("features of \(done) of \(count) pictures") }
  }
}

MemoryBudget.bytes = 2_000_000_000
let work = Task { try await train() }
if let seconds = CommandLine.arguments.dropFirst(4).first.flatMap(Double.init) {
  Task {
    try await Task.sleep(for: .seconds(seconds))
    work.cancel()
  }
}
do {
  let segmenter = try await work.value
  let image = try Image(contentsOf: picture)
  let result = try await segmenter.segment(image)
  print("\(result.labels.width)×\(result.labels.height) pixels, \(result.labels.histogram[1]) of class 1")
  print("uncertainty of the picture: \(result.imageUncertainty)")

  let path = "\(folder)/segmenter.safetensors"
  try segmenter.write(to: path)
  let again = try await Segmenter(contentsOf: path).segment(image)
  print(again.labels == result.labels ? "read back: the same labels" : "read back: OTHER LABELS")
  exit(again.labels == result.labels ? 0 : 1)
} catch let error as DataError where error.kind == .cancelled {
  print("cancelled")
  exit(2)
} catch {
  print("error: \(error)")
  exit(1)
}

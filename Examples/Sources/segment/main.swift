// Trains a segmenter on a few labelled pictures and labels another one:
//
//   segment CHECKPOINT FOLDER PICTURE
//
// FOLDER holds x.png beside x.npy with labels 0 and 1.

import Backbones
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images

guard CommandLine.arguments.count == 4 else {
  print("usage: segment CHECKPOINT FOLDER PICTURE")
  exit(64)
}
let (checkpoint, folder, picture) = (
  CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3]
)

do {
  // What this checkpoint's weights do not tell, and which activations are the features.
  let settings = ["head-channels": "32", "image-size": "32", "steps": "50,150,250", "blocks": "1,3"]
  let features = try BackboneRegistry.standard.features(
    of: Checkpoint(contentsOf: checkpoint), settings: settings)
  let labelled = try LabelledImages(directory: folder, classes: .init(count: 2))
  let segmenter = try Segmenter.train(
    on: labelled, features: features, options: .init(members: 3, epochs: 1, maxEpochs: 1)
  ) { progress in
    if case .features(let done, let count) = progress { print("features of \(done) of \(count) pictures") }
  }
  let result = try segmenter.segment(Image(contentsOf: picture))
  print("\(result.labels.width)×\(result.labels.height) pixels, \(result.labels.histogram[1]) of class 1")
  print("uncertainty of the picture: \(result.imageUncertainty)")

  let path = "\(folder)/segmenter.safetensors"
  try segmenter.write(to: path)
  let again = try Segmenter(contentsOf: path).segment(Image(contentsOf: picture))
  print(again.labels == result.labels ? "read back: the same labels" : "read back: OTHER LABELS")
  exit(again.labels == result.labels ? 0 : 1)
} catch {
  print("error: \(error)")
  exit(1)
}

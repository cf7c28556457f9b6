import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import TensorCore
import Workloads

/// Work whose inputs are there.
protocol PreparedWork: SendableMetatype {
  /// Reads the inputs that a command names.
  init(inputs: Data) throws
  /// Does the work and returns the seconds of each iteration.
  mutating func run(iterations: Int) throws -> [Double]
  /// Writes what the last iteration gave, or a first one when there was none, into a folder.
  mutating func writeOutput(to folder: String) throws
}

/// Work whose iterations all give the same.
protocol RepeatedWork: PreparedWork {
  associatedtype Output
  /// What the last iteration gave.
  var last: Output? { get set }
  func runOnce() throws -> Output
  func write(_ output: Output, to folder: String) throws
}

extension RepeatedWork {
  mutating func run(iterations: Int) throws -> [Double] {
    try (0..<iterations).map { _ in
      last = nil
      let start = ContinuousClock.now
      last = try runOnce()
      return (ContinuousClock.now - start) / .seconds(1)
    }
  }

  mutating func writeOutput(to folder: String) throws { try write(last ?? runOnce(), to: folder) }
}

/// By the name in the command.
let works: [String: any PreparedWork.Type] = [
  "forward": ForwardWork.self, "job": JobWork.self, "head": HeadWork.self, "training": TrainingWork.self,
  "diffusion-step": DiffusionStepWork.self, "read": ReadingWork.self, "load": LoadingWork.self,
  "product": ProductWork.self, "features": FeatureWork.self,
  "latent-forward": LatentForwardWork.self, "autoencoder": AutoencoderWork.self,
]

extension Tensor {
  init(npy path: String) throws(DataError) { self = try NpyFile(contentsOf: path).array.tensor() }

  func write(npy path: String) throws(DataError) { try NpyFile.write(NumericArray(self), to: path) }
}

/// Random weights that all contenders read.
enum RandomFile {
  /// Called by its name, for instance `small64`.
  case network(Network)
  /// Called by its name, for instance `mae`.
  case backbone(BackboneWeights)
  /// Called by its name, for instance `ldm-sd1`.
  case latent(LatentWeights)
  /// Classifiers of 21 classes, called `ensemble-{members}-{features}`.
  case ensemble(members: Int, features: Int)

  init(named name: String) throws(DataError) {
    let parts = name.split(separator: "-")
    if let network = Network(rawValue: name) {
      self = .network(network)
    } else if let backbone = BackboneWeights(rawValue: name) {
      self = .backbone(backbone)
    } else if let latent = LatentWeights(rawValue: name) {
      self = .latent(latent)
    } else if parts.count == 3, parts[0] == "ensemble", let members = Int(parts[1]),
      let features = Int(parts[2])
    {
      self = .ensemble(members: members, features: features)
    } else {
      throw DataError(
        .invalidArgument, file: "what", expected: "a network or ensemble-MEMBERS-FEATURES", found: name)
    }
  }

  func write(to path: String) throws(DataError) {
    switch self {
    case .network(let network): try network.writeCheckpoint(to: path, seed: 1)
    case .backbone(let backbone): try backbone.writeCheckpoint(to: path, seed: 1)
    case .latent(let latent): try latent.writeCheckpoint(to: path, seed: 1)
    case .ensemble(let members, let features):
      var writer = SafetensorsWriter()
      let ensemble = try randomEnsemble(members: members, features: features, classes: 21)
      for tensor in ensemble.namedTensors { writer.append(tensor.name, tensor.array) }
      try writer.write(to: path)
    }
  }
}

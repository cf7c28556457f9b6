import Base
import Checkpoints

/// The parts of a latent diffusion model in a checkpoint (`LatentDiffusion` of latent-diffusion's `ddpm.py`).
///
/// They lie side by side in the state dictionary of a Trainer's file, or bare: the U-Net, perhaps its moving averages,
/// the autoencoder, a condition stage, and the tables of the noise schedule.
public struct LatentCheckpoint: Sendable {
  /// What names of a part begin with.
  public enum Part: String, Sendable, CaseIterable {
    /// The U-Net.
    case network = "model.diffusion_model."
    /// Averages of the U-Net's weights (`LitEma`).
    case averages = "model_ema."
    /// The autoencoder.
    case firstStage = "first_stage_model."
    /// What makes a context of a class or a text.
    case conditionStage = "cond_stage_model."
    /// Tables of the noise schedule, and perhaps the factor that latents are scaled by.
    case tables = ""

    init(of name: String) {
      self = Self.allCases.first { $0 != .tables && name.hasPrefix($0.rawValue) } ?? .tables
    }
  }

  /// How many of the U-Net's weights have an average.
  public enum Averages: Sendable, Equatable {
    case none
    /// Of so many, and the first that has none of its shape.
    case some(Int, missing: String)
    case all
  }

  public let file: String
  /// What stands before all names in the file: `state_dict/`.
  public let prefix: String
  /// All tensors below the prefix, in the order of the file, under their names without it.
  public let tensors: [NamedArray]
  private let positions: [String: Int]

  /// More models in one file are not told apart.
  private static let mostModels = 8

  /// Finds where names of models begin.
  static func prefixes(in checkpoint: Checkpoint) -> [String] {
    var found: [String] = []
    for entry in checkpoint.entries where found.count < mostModels {
      guard case .tensor = entry.value, let range = entry.path.firstRange(of: Part.network.rawValue) else {
        continue
      }
      let prefix = String(entry.path[..<range.lowerBound])
      guard prefix.isEmpty || prefix.hasSuffix("/") || prefix.hasSuffix(".") else { continue }
      if !found.contains(prefix) { found.append(prefix) }
    }
    return found
  }

  init(_ checkpoint: Checkpoint, prefix: String) {
    file = checkpoint.path
    self.prefix = prefix
    tensors = checkpoint.tensors.compactMap { tensor in
      guard tensor.name.hasPrefix(prefix) else { return nil }
      let name = tensor.name.dropFirst(prefix.count)
      // What lies in a dictionary beside the names, or in the state of an optimizer, is no part of the model.
      return name.contains("/") ? nil : NamedArray(name: String(name), array: tensor.array)
    }
    positions = Dictionary(
      tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The only model in a file.
  /// - Throws: `DataError` when there is none, or several.
  public init(_ checkpoint: Checkpoint) throws(DataError) {
    let prefixes = Self.prefixes(in: checkpoint)
    guard prefixes.count == 1 else {
      throw DataError(
        prefixes.isEmpty ? .unsupported : .malformed, file: checkpoint.path,
        expected: "one latent diffusion model (\(Part.network.rawValue)…)",
        found: prefixes.isEmpty ? "none of its names" : "several: \(prefixes.joined(separator: ", "))")
    }
    self.init(checkpoint, prefix: prefixes[0])
  }

  /// The tensor of a name, if there is one.
  public subscript(name: String) -> NumericArray? { positions[name].map { tensors[$0].array } }

  /// Number of tensors of each part that there are any of.
  public var counts: [Part: Int] {
    tensors.reduce(into: [:]) { counts, tensor in counts[Part(of: tensor.name), default: 0] += 1 }
  }

  // MARK: Averages

  /// Name of the average of a weight: without `model.` in front and without any dot, which cannot be turned back
  /// (`LitEma.__init__` of latent-diffusion's `ema.py`).
  /// - Parameter name: such as `model.diffusion_model.out.2.bias`
  public static func averageName(of name: String) -> String {
    let start = "model."
    let inner = name.hasPrefix(start) ? name.dropFirst(start.count) : name[...]
    return Part.averages.rawValue + inner.filter { $0 != "." }
  }

  /// Whether the U-Net's weights have averages.
  public var averages: Averages {
    let names = tensors.filter { Part(of: $0.name) == .network }
    let missing = names.filter { self[Self.averageName(of: $0.name)]?.shape != $0.array.shape }
    if missing.isEmpty && !names.isEmpty { return .all }
    return missing.count == names.count
      ? .none : .some(names.count - missing.count, missing: Self.averageName(of: missing[0].name))
  }

  /// Updates that the averages have seen; nil where the file does not say it.
  public var averageUpdates: Int? { scalar("model_ema.num_updates").flatMap { Int(exactly: $0) } }

  /// The factor that latents are scaled by, where the file has it.
  public var scaleFactor: Double? { scalar("scale_factor") }

  private func scalar(_ name: String) -> Double? {
    guard let array = self[name], array.count == 1 else { return nil }
    return array.doubles()[0]
  }

  /// The U-Net's weights under their names in the network.
  /// - Parameter averaged: whether averages take the place of those in training, where there are any
  public func network(averaged: Bool) -> [NamedArray] {
    tensors.compactMap { tensor in
      guard Part(of: tensor.name) == .network else { return nil }
      return NamedArray(
        name: String(tensor.name.dropFirst(Part.network.rawValue.count)),
        array: (averaged ? self[Self.averageName(of: tensor.name)] : nil) ?? tensor.array)
    }
  }
}

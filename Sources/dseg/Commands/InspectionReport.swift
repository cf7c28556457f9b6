import Backbones
import Base
import Checkpoints
import DiffusionSegmentation
import Features
import Foundation
import TensorCore

/// What `dseg inspect` tells.
struct InspectionReport: Encodable {
  struct TensorEntry: Encodable {
    var name: String
    var type: String
    var shape: [Int]
  }

  /// The facts of a model under their keys, and its activations.
  struct Network: Encodable {
    var kind: String
    var facts: BackboneFacts

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(_ name: String) { stringValue = name }
      init?(stringValue: String) { self.init(stringValue) }
      init?(intValue: Int) { nil }
    }

    private struct Activation: Encodable {
      var name: String
      var channels: Int
      var height: Int
      var width: Int
      /// Share of a forward's cost up to this one, 0 to 1.
      var cumulativeShare: Double
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(kind, forKey: Key("kind"))
      for row in facts.rows {
        let key = Key(row.key)
        switch row.value {
        case .none: break
        case .integer(let value): try container.encode(value, forKey: key)
        case .number(let value): try container.encode(value, forKey: key)
        case .flag(let value): try container.encode(value, forKey: key)
        case .text(let value): try container.encode(value, forKey: key)
        case .integers(let values): try container.encode(values, forKey: key)
        }
      }
      let activations = facts.activations.map {
        Activation(
          name: $0.name, channels: $0.channels, height: $0.height, width: $0.width,
          cumulativeShare: $0.costSoFar)
      }
      try container.encode(activations, forKey: Key("activations"))
    }
  }

  var file: String
  var format: String
  var tensors: [TensorEntry]
  var parameters: Int
  /// What stands before the names of the network that was taken, and of all that there are; a dot for nothing.
  var weights: String?
  var networks: [String] = []
  var network: Network?
  /// Why there is no network, or what keeps it from being used.
  var note: String?
  /// Values that are objects of classes, which were not made.
  var notRead: [String] = []
  var segmenter: SegmenterRecord?
  var metadata: [String: String]
  var blasCore: String
  var threads: Int
  var version: String

  /// - Parameter settings: of the model, in the place of those of the file
  init(
    file: String, settings: [String: String], weights choice: WeightsChoice = .automatic
  ) throws(DataError) {
    self.file = file
    blasCore = BLAS.coreName
    threads = Threads.count
    version = Version.current
    metadata = [:]
    tensors = []
    switch (file as NSString).pathExtension {
    case "npy":
      format = "NumPy array"
      let array = try NpyFile(contentsOf: file).array
      tensors = [TensorEntry(name: "array", type: array.elementType.rawValue, shape: array.shape)]
    case "npz":
      format = "NumPy archive"
      let archive = try NpzFile(contentsOf: file)
      for name in archive.names {
        let layout = try archive.layout(of: name)
        tensors.append(TensorEntry(name: name, type: layout.elementType.rawValue, shape: layout.shape))
      }
    default:
      let checkpoint = try Checkpoint(contentsOf: file)
      format = checkpoint.format.rawValue
      metadata = checkpoint.metadata
      notRead = InspectionReport.notRead(of: checkpoint)
      var arrays = checkpoint.tensors
      if metadata[SegmenterFile.recordKey] != nil {
        segmenter = try SegmenterFile(contentsOf: file).record
        metadata[SegmenterFile.recordKey] = nil
      } else {
        do {
          let kind = try BackboneRegistry.standard.recognizing(checkpoint)
          networks = kind.networkNames(in: checkpoint)
          let (state, origin) = try kind.state(in: checkpoint, weights: choice, notices: .ofThisRun)
          (weights, arrays) = (origin.weights, state.tensors)
          let facts = try kind.facts(of: state, checkpoint: checkpoint, settings: settings)
          network = Network(kind: kind.kind, facts: facts)
          note = facts.hindrance ?? InspectionReport.damage(of: state)
        } catch  where error.kind != .invalidArgument {
          note = "no model of a known kind: \(error.found)"
        }
      }
      tensors = arrays.map {
        TensorEntry(name: $0.name, type: $0.array.elementType.rawValue, shape: $0.array.shape)
      }
    }
    // In floating point, as the shapes of a file can be any.
    parameters =
      Int(
        exactly: tensors.reduce(0.0) { $0 + $1.shape.reduce(1.0) { $0 * Double($1) } }.rounded()) ?? .max
  }

  /// Weights that keep a model from being used.
  private static func damage(of state: StateDictionary) -> String? {
    let damaged = state.tensors.compactMap { named -> String? in
      guard named.array.elementType.isFloatingPoint else { return nil }
      let tensor = named.array.tensor()
      let count = tensor.nonFiniteCount
      tensor.discardPages()
      return count > 0 ? "\(named.name): \(count) of \(named.array.count) weights are NaN or infinite" : nil
    }
    return damaged.isEmpty
      ? nil
      : damaged.prefix(3).joined(separator: "; ") + (damaged.count > 3 ? "; \(damaged.count - 3) more" : "")
  }

  /// Names of classes, each once.
  private static func notRead(of checkpoint: Checkpoint) -> [String] {
    var names: [String] = []
    for entry in checkpoint.entries {
      if case .opaque(let name) = entry.value, !names.contains(name), names.count < 32 { names.append(name) }
    }
    return names
  }

  func text(listingTensors: Bool) -> String {
    var rows = [
      ["file", file], ["format", format], ["tensors", "\(tensors.count)"],
      ["parameters", grouped(parameters)],
    ]
    if networks.count > 1 { rows.append(["networks", networks.joined(separator: ", ")]) }
    if let weights, weights != "." { rows.append(["weights", weights]) }
    if let network {
      rows.append(["kind", network.kind])
      for row in network.facts.rows { if let title = row.title { rows.append([title, row.text]) } }
    }
    if let segmenter {
      rows += [
        ["members", "\(segmenter.members)"],
        ["classes", segmenter.classNames.joined(separator: ", ") + "; \(segmenter.ignoreLabel) is ignored"],
      ]
      for backbone in segmenter.backbones {
        rows.append(["kind", backbone.kind])
        for settings in [backbone.selection, backbone.options] {
          for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
            rows.append([key.replacing("-", with: " "), value.replacing(",", with: ", ")])
          }
        }
        rows += [["checkpoint", backbone.checkpoint.path], ["SHA-256", backbone.checkpoint.sha256]]
      }
      rows += [["fit", segmenter.fit], ["made by", segmenter.program]]
    }
    if let note { rows.append(["note", note]) }
    if !notRead.isEmpty { rows.append(["not read", notRead.joined(separator: ", ")]) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { rows.append([key, value]) }
    rows += [["OpenBLAS core", blasCore], ["threads", "\(threads)"], ["version", "dseg \(version)"]]
    let width = rows.map { $0[0].count }.max() ?? 0
    var text = rows.map { $0[0].padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0[1] }
      .joined(separator: "\n")
    if let network {
      var table = [[network.facts.activationTitle, "channels@size", "cost so far"]]
      for activation in network.facts.activations {
        table.append([
          activation.name, "\(activation.channels)@\(activation.height)",
          String(format: "%.1f %%", activation.costSoFar * 100),
        ])
      }
      text += "\n\n" + Table(rows: table).text
    }
    if listingTensors {
      text += "\n\n" + Table(rows: tensors.map { [$0.name, $0.type, "\($0.shape)"] }).text
    }
    return text
  }

  /// `552,814,086`.
  private func grouped(_ number: Int) -> String {
    var groups: [String] = []
    var rest = number
    while rest >= 1000 {
      groups.insert(String(String(rest % 1000 + 1000).dropFirst()), at: 0)
      rest /= 1000
    }
    return ([String(rest)] + groups).joined(separator: ",")
  }
}

import DiffusionSegmentation
import Foundation

/// What `dseg inspect` tells.
struct InspectionReport: Encodable {
  struct TensorEntry: Encodable {
    var name: String
    var type: String
    var shape: [Int]
  }

  struct Network: Encodable {
    /// Channels that it takes.
    var channels: Int
    var levels: Int
    var levelChannels: [Int]
    var residualBlocks: Int
    var attentionLevels: [Int]
    var resampling: String
    var scaleShiftNorm: Bool
    var learnedSigma: Bool
    var classes: Int?
    var imageSize: Int
    var gigaMACs: Double
    var outputBlocks: [Block]
  }

  struct Block: Encodable {
    var index: Int
    var channels: Int
    var height: Int
    var width: Int
    /// Share of a forward's cost up to this block, 0 to 1.
    var cumulativeShare: Double
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

  /// - Parameter imageSize: for sizes and costs; nil for that of the file
  init(file: String, imageSize: Int?, weights choice: WeightsChoice = .automatic) throws(DataError) {
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
        networks = NetworkList(checkpoint, anchor: UNetConfiguration.anchor).members.map(\.name)
        do {
          let (state, origin) = try UNetConfiguration.state(
            in: checkpoint, weights: choice, notices: .ofThisRun)
          (weights, arrays) = (origin.weights, state.tensors)
          let options = try BackboneOptions(metadata: metadata, notices: .ofThisRun, file: file)
          network = try Network(state: state, imageSize: imageSize ?? options.imageSize)
          note = InspectionReport.hindrance(of: state)
        } catch  where error.kind != .invalidArgument {
          note = "no U-Net of guided-diffusion: \(error.found)"
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

  /// What keeps a network from being used.
  private static func hindrance(of state: StateDictionary) -> String? {
    do throws(DataError) {
      try UNetConfiguration(state: state).checkSeesPictures(file: state.file, prefix: state.prefix)
    } catch {
      return "\(error.item): expected \(error.expected), found \(error.found)"
    }
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
      rows += [
        ["channels", "\(network.channels)"],
        [
          "levels",
          "\(network.levels) of \(network.levelChannels.map { "\($0)" }.joined(separator: ", ")) channels",
        ],
        ["residual blocks a level", "\(network.residualBlocks)"],
        [
          "attention",
          network.attentionLevels.isEmpty
            ? "in the middle"
            : "at levels \(network.attentionLevels.map { "\($0)" }.joined(separator: ", ")) and in the middle",
        ],
        ["resampling", network.resampling], ["scale-shift norm", network.scaleShiftNorm ? "yes" : "no"],
        ["learned sigma", network.learnedSigma ? "yes" : "no"],
        ["classes", network.classes.map { "\($0)" } ?? "none"],
        [
          "cost of a forward",
          String(format: "%.2f GMAC at %d×%d", network.gigaMACs, network.imageSize, network.imageSize),
        ],
      ]
    }
    if let segmenter {
      func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
      rows += [
        ["members", "\(segmenter.members)"],
        ["classes", segmenter.classNames.joined(separator: ", ") + "; \(segmenter.ignoreLabel) is ignored"],
        ["steps", list(segmenter.steps)], ["blocks", list(segmenter.blocks)],
        ["noise", segmenter.noise.kind == "perImage" ? "of each picture" : "shared"], ["fit", segmenter.fit],
        ["checkpoint", segmenter.checkpoint.path], ["SHA-256", segmenter.checkpoint.sha256],
        ["made by", segmenter.program],
      ]
    }
    if let note { rows.append(["note", note]) }
    if !notRead.isEmpty { rows.append(["not read", notRead.joined(separator: ", ")]) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { rows.append([key, value]) }
    rows += [["OpenBLAS core", blasCore], ["threads", "\(threads)"], ["version", "dseg \(version)"]]
    let width = rows.map { $0[0].count }.max() ?? 0
    var text = rows.map { $0[0].padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0[1] }
      .joined(separator: "\n")
    if let network {
      var table = [["output block", "channels@size", "cost so far"]]
      for block in network.outputBlocks {
        table.append([
          "\(block.index)", "\(block.channels)@\(block.height)",
          String(format: "%.1f %%", block.cumulativeShare * 100),
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

extension InspectionReport.Network {
  init(state: StateDictionary, imageSize: Int) throws(DataError) {
    let configuration = try UNetConfiguration(state: state)
    guard imageSize > 0, imageSize <= 1 << 14, imageSize % configuration.sizeMultiple == 0 else {
      throw DataError(
        .invalidArgument, file: "--image-size", expected: "a multiple of \(configuration.sizeMultiple)",
        found: "\(imageSize)")
    }
    let cost = configuration.cost(height: imageSize, width: imageSize)
    channels = configuration.inChannels
    levels = configuration.levels
    levelChannels = configuration.levelChannels
    residualBlocks = configuration.residualBlocks
    attentionLevels = configuration.levelHasAttention.indices.filter { configuration.levelHasAttention[$0] }
    resampling = configuration.resampling.rawValue
    scaleShiftNorm = configuration.usesScaleShiftNorm
    learnedSigma = configuration.hasLearnedVariance
    classes = configuration.classCount
    self.imageSize = imageSize
    gigaMACs = Double(cost.totalMACs) / 1e9
    outputBlocks = cost.outputBlocks.map {
      InspectionReport.Block(
        index: $0.index, channels: $0.channels, height: $0.height, width: $0.width,
        cumulativeShare: Double($0.cumulativeMACs) / Double(cost.totalMACs))
    }
  }
}

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
  var network: Network?
  /// Why there is no network, when the file looks like one.
  var note: String?
  var segmenter: SegmenterRecord?
  var metadata: [String: String]
  var blasCore: String
  var threads: Int
  var version: String

  /// - Parameter imageSize: for sizes and costs; nil for that of the file
  init(file: String, imageSize: Int?) throws(DataError) {
    self.file = file
    blasCore = BLAS.coreName
    threads = Threads.count
    version = Version.current
    metadata = [:]
    let arrays: [NamedArray]
    switch (file as NSString).pathExtension {
    case "npy":
      format = "NumPy array"
      arrays = [NamedArray(name: "array", array: try NpyFile(contentsOf: file).array)]
    case "npz":
      format = "NumPy archive"
      let archive = try NpzFile(contentsOf: file)
      var named: [NamedArray] = []
      for name in archive.names {
        named.append(NamedArray(name: name, array: try archive.array(named: name)))
      }
      arrays = named
    default:
      let checkpoint = try Checkpoint(contentsOf: file)
      format = checkpoint.format.rawValue
      metadata = checkpoint.metadata
      let state = try? StateDictionary(checkpoint)
      arrays = state?.tensors ?? checkpoint.tensors
      if metadata[SegmenterFile.recordKey] != nil {
        segmenter = try SegmenterFile(contentsOf: file).record
        metadata[SegmenterFile.recordKey] = nil
      } else if let state, state["time_embed.0.weight"] != nil {
        let options = try BackboneOptions(metadata: metadata, file: file)
        network = try Network(state: state, imageSize: imageSize ?? options.imageSize)
      } else {
        note = "no U-Net of guided-diffusion"
      }
    }
    tensors = arrays.map {
      TensorEntry(name: $0.name, type: $0.array.elementType.rawValue, shape: $0.array.shape)
    }
    parameters = arrays.reduce(0) { $0 + $1.array.count }
  }

  func text(listingTensors: Bool) -> String {
    var rows = [
      ["file", file], ["format", format], ["tensors", "\(tensors.count)"],
      ["parameters", grouped(parameters)],
    ]
    if let network {
      rows += [
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

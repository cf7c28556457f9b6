import Base
import Checkpoints
import DiffusionCore
import TestSupport
import Testing

struct UNetConfigurationTests {
  static let configurations: [UNetConfiguration] = [
    .tiny,
    .init(
      modelChannels: 32, outChannels: 3, levelChannels: [32], residualBlocks: 2, levelHasAttention: [false]),
    .init(
      modelChannels: 64, outChannels: 6, channelMult: [0.5, 1, 1.5], residualBlocks: 1,
      attentionDownsampleFactors: [1, 4], resampling: .parameterless),
    .init(
      modelChannels: 32, outChannels: 3, channelMult: [1, 2], residualBlocks: 3,
      attentionDownsampleFactors: [],
      resampling: .convolution, usesScaleShiftNorm: true, classCount: 10),
    .init(
      modelChannels: 32, outChannels: 6, channelMult: [1, 1, 2, 2, 4, 4], residualBlocks: 2,
      attentionDownsampleFactors: [8, 16, 32], resampling: .residual, usesScaleShiftNorm: true),
    .init(
      inChannels: 1, modelChannels: 32, outChannels: 2, channelMult: [1, 1], residualBlocks: 1,
      attentionDownsampleFactors: [2], resampling: .parameterless, classCount: 3),
    .init(
      modelChannels: 32, outChannels: 3, channelMult: [1, 1, 1], residualBlocks: 1,
      attentionDownsampleFactors: [1, 2, 4], resampling: .residual),
  ]

  /// The names and shapes of a network tell its configuration again.
  @Test(arguments: configurations.indices)
  func architectureIsReadFromShapes(_ index: Int) throws {
    let configuration = Self.configurations[index].withOneHead
    let shapes = Dictionary(
      uniqueKeysWithValues: try UNet.parameterShapes(configuration).map { ($0.name, $0.shape) })
    #expect(
      try UNetConfiguration(shapes: shapes, file: "", attention: configuration.attention) == configuration)
  }

  @Test(arguments: [
    "time_embed.0.weight", "input_blocks.0.0.weight", "out.2.weight", "input_blocks.1.0.out_layers.3.weight",
  ])
  func missingCornerstoneIsNamed(_ name: String) throws {
    var shapes = Dictionary(uniqueKeysWithValues: try UNet.parameterShapes(.tiny).map { ($0.name, $0.shape) })
    shapes[name] = nil
    let error = #expect(throws: DataError.self) { try UNetConfiguration(shapes: shapes, file: "model.pt") }
    #expect(error?.item == name && error?.file == "model.pt")
  }

  @Test func hostileShapesAreRefused() throws {
    let names = try UNet.parameterShapes(.tiny)
    for (name, _) in names.shuffled().prefix(40) {
      for shape in [[], [0], [Int.max, Int.max], [1 << 40, 3, 3, 3], [4, 1], [-1, 2]] {
        var shapes = Dictionary(uniqueKeysWithValues: names.map { ($0.name, $0.shape) })
        shapes[name] = shape
        // Either refused, or read as some network whose weights then do not fit; never a crash.
        guard let read = try? UNetConfiguration(shapes: shapes, file: "") else { continue }
        _ = try? read.validate()
      }
    }
    #expect(throws: DataError.self) {
      try UNetConfiguration(shapes: ["output_blocks.99999.0.x": [1]], file: "")
    }
  }

  /// Names for a network of many levels, one residual block each, with as little else as reading needs.
  private func shapes(levels: Int, channels: Int) -> [String: [Int]] {
    var shapes = [
      "time_embed.0.weight": [128, 32], "input_blocks.0.0.weight": [channels, 3, 3, 3],
      "out.2.weight": [6, channels, 3, 3], "output_blocks.\(2 * levels - 1).0.in_layers.0.weight": [channels],
      "output_blocks.1.1.conv.weight": [channels, channels, 3, 3],
      "input_blocks.1.0.emb_layers.1.weight": [channels, 128],
    ]
    for level in 0..<levels {
      shapes["input_blocks.\(1 + 2 * level).0.out_layers.3.weight"] = [channels, 1, 1, 1]
    }
    return shapes
  }

  /// Beyond 62 levels the multiple of a picture's sides could not be counted.
  @Test(arguments: [17, 65, 500])
  func tooManyLevelsAreRefused(_ levels: Int) throws {
    #expect(try UNetConfiguration(shapes: shapes(levels: 16, channels: 32), file: "").levels == 16)
    let error = #expect(throws: DataError.self) {
      try UNetConfiguration(shapes: shapes(levels: levels, channels: 32), file: "")
    }
    #expect(error?.item == "input_blocks")
  }

  /// Channels that a few bytes can claim do not overflow the count of operations.
  @Test func costOfAbsurdChannelsIsFinite() throws {
    let configuration = try UNetConfiguration(shapes: shapes(levels: 6, channels: 1 << 16), file: "")
    let cost = configuration.cost(height: 1 << 14, width: 1 << 14)
    #expect(cost.totalMACs.isFinite && cost.totalMACs > 1e18)
    #expect(throws: DataError.self) {
      try UNetConfiguration(shapes: shapes(levels: 6, channels: 1 << 20), file: "")
    }
  }

  @Test func widthOfHeadsMustDivideTheChannels() {
    var configuration = UNetConfiguration.tiny
    configuration.attention.heads = .channels(48)
    let error = #expect(throws: DataError.self) { try configuration.validate() }
    #expect(error?.kind == .invalidArgument && error?.expected.contains("64") == true)
  }

  /// Costs of the LSUN network as published counts give them: 1,119.8 GMAC, 54.1 % of it up to block 12.
  @Test func costOfTheLSUNNetwork() {
    let configuration = UNetConfiguration(
      modelChannels: 256, outChannels: 6, channelMult: [1, 1, 2, 2, 4, 4], residualBlocks: 2,
      attentionDownsampleFactors: [8, 16, 32], resampling: .residual, usesScaleShiftNorm: true)
    let cost = configuration.cost(height: 256, width: 256)
    #expect(abs(Double(cost.totalMACs) / 1e9 - 1119.8) < 0.5)
    let share = Double(cost.outputBlocks[12].cumulativeMACs) / Double(cost.totalMACs)
    #expect(abs(share - 0.541) < 0.001)
    let places = cost.outputBlocks.map { "\($0.channels)@\($0.height)" }
    #expect(
      places == [
        "1024@8", "1024@8", "1024@16", "1024@16", "1024@16", "1024@32", "512@32", "512@32", "512@64",
        "512@64",
        "512@64", "512@128", "256@128", "256@128", "256@256", "256@256", "256@256", "256@256",
      ])
  }

  @Test func parametersOfTheLSUNNetwork() throws {
    let configuration = UNetConfiguration(
      modelChannels: 256, outChannels: 6, channelMult: [1, 1, 2, 2, 4, 4], residualBlocks: 2,
      attentionDownsampleFactors: [8, 16, 32], resampling: .residual, usesScaleShiftNorm: true)
    let shapes = try UNet.parameterShapes(configuration)
    #expect(shapes.count == 566)
    #expect(shapes.reduce(0) { $0 + $1.shape.reduce(1, *) } == 552_814_086)
  }
}

extension UNetConfiguration {
  /// With attention settings that fit any width.
  fileprivate var withOneHead: UNetConfiguration {
    var copy = self
    copy.attention = AttentionSettings(heads: .count(1))
    return copy
  }
}

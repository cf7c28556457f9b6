import Backbones
import Base
import DiffusionCore
import Foundation
import Testing

/// The published models by their sizes (Rombach et al. 2022, appendix; latent-diffusion's `models/ldm`).
struct PublishedLatentModelTests {
  struct Published: Sendable, CustomTestStringConvertible {
    var name: String
    var latent: Int
    var width: Int
    var multiples: [Double]
    var factors: Set<Int>
    var resamples = false
    var context: Int?
    var heads: AttentionSettings.Heads
    var parameters: Int
    var blocks: ClosedRange<Int>
    /// Side of the latents, and channels and side of the default blocks.
    var side: Int
    var places: [String]
    var testDescription: String { name }

    var configuration: UNetConfiguration {
      UNetConfiguration(
        inChannels: latent, modelChannels: width, outChannels: latent, channelMult: multiples,
        residualBlocks: 2,
        attentionDownsampleFactors: factors, resampling: resamples ? .residual : .convolution,
        usesScaleShiftNorm: resamples, attention: AttentionSettings(heads: heads),
        transformer: context.map { TransformerSettings(contextChannels: $0) })
    }
  }

  static let models = [
    Published(
      name: "ffhq256", latent: 3, width: 224, multiples: [1, 2, 3, 4], factors: [2, 4, 8],
      heads: .channels(32),
      parameters: 274_056_163, blocks: 5...8, side: 64, places: ["672@32", "448@32", "448@32", "448@64"]),
    Published(
      name: "lsun_churches256", latent: 4, width: 192, multiples: [1, 2, 2, 4, 4], factors: [1, 2, 4, 8],
      resamples: true, heads: .count(8), parameters: 294_966_916, blocks: 8...11, side: 32,
      places: ["384@16", "384@16", "384@16", "384@32"]),
    Published(
      name: "cin256", latent: 4, width: 256, multiples: [1, 2, 4], factors: [1, 2, 4], context: 512,
      heads: .channels(32), parameters: 394_984_196, blocks: 2...5, side: 32,
      places: ["1024@16", "512@16", "512@16", "512@32"]),
    Published(
      name: "cin256-v2", latent: 3, width: 192, multiples: [1, 2, 3, 5], factors: [2, 4, 8], context: 512,
      heads: .count(1), parameters: 400_920_579, blocks: 5...8, side: 64,
      places: ["576@32", "384@32", "384@32", "384@64"]),
    Published(
      name: "text2img256", latent: 3, width: 192, multiples: [1, 2, 3, 5], factors: [2, 4, 8], context: 640,
      heads: .channels(32), parameters: 403_623_939, blocks: 5...8, side: 64,
      places: ["576@32", "384@32", "384@32", "384@64"]),
    Published(
      name: "text2img-large", latent: 4, width: 320, multiples: [1, 2, 4, 4], factors: [1, 2, 4],
      context: 1280,
      heads: .count(8), parameters: 872_300_484, blocks: 5...8, side: 32,
      places: ["1280@16", "640@16", "640@16", "640@32"]),
    Published(
      name: "stable-diffusion-v1", latent: 4, width: 320, multiples: [1, 2, 4, 4], factors: [1, 2, 4],
      context: 768,
      heads: .count(8), parameters: 859_520_964, blocks: 5...8, side: 64,
      places: ["1280@32", "640@32", "640@32", "640@64"]),
  ]

  @Test(arguments: models)
  func shapesTellTheModel(_ model: Published) throws {
    let list = try UNet.parameterShapes(model.configuration)
    #expect(list.reduce(0) { $0 + $1.shape.reduce(1, *) } == model.parameters)
    #expect(model.configuration.parameterCount == Double(model.parameters))
    let shapes = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.shape) })
    let found = try LatentDiffusionConfiguration.network(shapes: shapes, file: "")
    #expect(found == model.configuration)
    let cost = found.cost(height: model.side, width: model.side)
    #expect(LatentDiffusionConfiguration.defaultBlocks(of: found) == Array(model.blocks))
    #expect(
      model.blocks.map { "\(cost.outputBlocks[$0].channels)@\(cost.outputBlocks[$0].height)" } == model.places
    )
  }

  static let data = ProcessInfo.processInfo.environment["DSEG_TEST_DATA"]

  /// Of faces, 2,016 channels a step.
  @Test func channelsOfTheDefaultBlocks() {
    let cost = Self.models[0].configuration.cost(height: 64, width: 64)
    let blocks = LatentDiffusionConfiguration.defaultBlocks(of: Self.models[0].configuration)
    #expect(blocks.reduce(0) { $0 + cost.outputBlocks[$1].channels } == 2016)
  }

  /// Lists of names and shapes of published networks, where the folder of test data has them.
  @Test(.enabled(if: data != nil, "DSEG_TEST_DATA is not set"))
  func listsOfNamesTellTheNetworks() throws {
    let folder = try #require(Self.data) + "/specs/keys"
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
      $0.hasPrefix("ldm_") && $0.hasSuffix("_unet.tsv")
    }
    for file in files.sorted() {
      let rows = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).split(separator: "\n")
      let shapes = Dictionary(
        uniqueKeysWithValues: rows.map { row in
          let parts = row.split(separator: "\t")
          return (String(parts[0]), parts[1].split(separator: "x").map { Int($0)! })
        })
      let found = try LatentDiffusionConfiguration.network(shapes: shapes, file: file)
      let again = Dictionary(
        uniqueKeysWithValues: try UNet.parameterShapes(found).map { ($0.name, $0.shape) })
      #expect(again == shapes, "\(file)")
      print("\(file): \(shapes.count) tensors, \(Int(found.parameterCount)) parameters")
    }
  }

  /// Heads of 64 of 96 channels leave 32 over, or are widened.
  @Test(arguments: [true, false])
  func leftoverChannelsTellWhetherHeadsAreWidened(isLegacy: Bool) throws {
    let configuration = UNetConfiguration(
      modelChannels: 96, outChannels: 3, levelChannels: [96, 192], residualBlocks: 1,
      levelHasAttention: [true, false], attention: AttentionSettings(heads: .channels(64)),
      transformer: TransformerSettings(depth: 2, contextChannels: 5, isLegacy: isLegacy))
    let shapes = Dictionary(
      uniqueKeysWithValues: try UNet.parameterShapes(configuration).map { ($0.name, $0.shape) })
    #expect(shapes["input_blocks.1.1.proj_in.weight"] == [isLegacy ? 96 : 64, 96, 1, 1])
    var options = LatentDiffusionOptions()
    options.headChannels = 64
    let found = try LatentDiffusionConfiguration.network(shapes: shapes, file: "", options: options)
    #expect(found == configuration)
    options.legacy = !isLegacy
    let other = try LatentDiffusionConfiguration.network(shapes: shapes, file: "", options: options)
    #expect(other.transformer?.isLegacy == !isLegacy)
  }
}

import ArgumentParser
import DiffusionSegmentation

/// Which activations are the features.
struct FeatureOptions: ParsableArguments {
  @Option(help: "Diffusion steps, joined by commas.")
  var steps: IntegerList = [50, 150, 250]

  @Option(
    help: "Output blocks of the U-Net, joined by commas. (default: 5,6,7,8,12 for networks of 18 blocks)")
  var blocks: IntegerList?

  /// The blocks that were given, or those of the published checkpoints' networks.
  /// - Throws: `DataError` that lists the blocks when there is no default.
  func blocks(for backbone: DiffusionBackbone) throws(DataError) -> [Int] {
    if let blocks { return blocks.values }
    guard backbone.network.configuration.outputBlockCount == 18 else {
      throw DataError(
        .invalidArgument, file: "--blocks",
        expected: "some of this network's output blocks (block: channels@size): \(backbone.blockList)",
        found: "none")
    }
    return [5, 6, 7, 8, 12]
  }
}

/// Whole numbers joined by commas.
struct IntegerList: ExpressibleByArgument, ExpressibleByArrayLiteral, Sendable {
  var values: [Int]

  init(arrayLiteral elements: Int...) { values = elements }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Int($0) }
    if values.count != parts.count { return nil }
  }

  var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}

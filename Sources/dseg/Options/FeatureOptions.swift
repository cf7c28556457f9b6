import ArgumentParser
import DiffusionSegmentation

/// Which activations are the features.
struct FeatureOptions: ParsableArguments {
  @Option(help: "Diffusion steps, joined by commas. (default: 50,150,250, or the configuration's)")
  var steps: IntegerList?

  @Option(
    help: "Output blocks of the U-Net, joined by commas. (default: 5,6,7,8,12 for networks of 18 blocks)")
  var blocks: IntegerList?

  /// The steps that were given, or those of the reference.
  var stepsOrDefault: [Int] { steps?.values ?? [50, 150, 250] }

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

/// Numbers joined by commas.
struct NumberList<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument, Sendable {
  var values: [Number]

  init(_ values: [Number]) { self.values = values }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Number(String($0)) }
    if values.count != parts.count { return nil }
  }

  var defaultValueDescription: String {
    values.map { $0.description.hasSuffix(".0") ? String($0.description.dropLast(2)) : $0.description }
      .joined(separator: ",")
  }
}

typealias IntegerList = NumberList<Int>

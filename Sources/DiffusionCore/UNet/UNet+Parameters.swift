import Base
import Checkpoints

extension UNet {
  /// Name and shape of every parameter of a network, in the order in which its layers ask for them.
  /// - Throws: `DataError` when the configuration cannot be.
  public static func parameterShapes(
    _ configuration: UNetConfiguration
  ) throws(DataError) -> [(name: String, shape: [Int])] {
    try configuration.validate()
    // A network that is loaded from nothing misses everything.
    let scope = WeightScope(StateDictionary([], file: ""))
    _ = UNet(unchecked: configuration, weights: scope)
    return scope.report.missing.map { ($0.name, $0.expected ?? []) }
  }
}

import ArgumentParser
import DiffusionSegmentation

/// The class that a class-conditional network is told.
struct ClassOption: ParsableArguments {
  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Class that a class-conditional diffusion model is told, a number from 0. (default: 0)",
      valueName: "number"))
  var number: Int?

  /// The class for a model; 0 for one without classes.
  /// - Throws: `DataError` when there is no such class, or there are none.
  func resolved(for backbone: DiffusionBackbone) throws(DataError) -> Int {
    try ClassOption.check(number, for: backbone.network.configuration)
    if let number { return number }
    if let count = backbone.network.configuration.classCount {
      Notices.ofThisRun.add(
        .guessed, file: backbone.checkpointPath,
        "the model is told one of \(count) classes; it is told 0 (--class NUMBER for another)")
    }
    return 0
  }

  /// - Throws: `DataError` when there is no such class, or there are none.
  static func check(_ number: Int?, for configuration: UNetConfiguration) throws(DataError) {
    guard let number else { return }
    guard let count = configuration.classCount else {
      throw DataError(
        .invalidArgument, file: "--class", expected: "none, for a network without classes", found: "\(number)"
      )
    }
    guard (0..<count).contains(number) else {
      throw DataError(.invalidArgument, file: "--class", expected: "0 to \(count - 1)", found: "\(number)")
    }
  }
}

import ArgumentParser
import Base
import DiffusionSegmentation
import TensorCore

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Option(help: "Number of threads; all processors by default. Results do not depend on it.")
  var threads: Int?

  @Option(
    help:
      "Seed of everything that is drawn at random: noise, weights, order. (default: 0, or the segmenter's)")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Memory that work may ask for, such as 4GB or 800MB; more is refused before it begins. (default: 90 % of what is free)",
      valueName: "size"))
  var memory: String?

  @Flag(help: "Print figures as JSON on standard output.")
  var json = false

  @Flag(help: "End with an error where something would be left out, rather than with a warning.")
  var strict = false

  /// Sets the number of threads and how strict the run is.
  func apply() throws(DataError) {
    Notices.ofThisRun.isStrict = strict
    if let memory { MemoryBudget.bytes = try Self.bytes(memory) }
    guard let threads else { return }
    guard (1...1024).contains(threads) else {
      throw DataError(.invalidArgument, file: "--threads", expected: "1 to 1024", found: "\(threads)")
    }
    Threads.count = threads
  }

  /// The bytes of a size: a number of bytes, or one with KB, MB or GB.
  private static func bytes(_ text: String) throws(DataError) -> Int {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let units = [
      "": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    ]
    guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).uppercased()],
      let bytes = Int(exactly: (number * unit).rounded()), bytes >= 64 << 20
    else {
      throw DataError(
        .invalidArgument, file: "--memory", expected: "a size of 64MB or more, such as 4GB or 800MB",
        found: text)
    }
    return bytes
  }
}

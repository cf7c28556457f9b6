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

  @Flag(help: "Print figures as JSON on standard output.")
  var json = false

  @Flag(help: "End with an error where something would be left out, rather than with a warning.")
  var strict = false

  /// Sets the number of threads and how strict the run is.
  func apply() throws(DataError) {
    Notices.ofThisRun.isStrict = strict
    guard let threads else { return }
    guard (1...1024).contains(threads) else {
      throw DataError(.invalidArgument, file: "--threads", expected: "1 to 1024", found: "\(threads)")
    }
    Threads.count = threads
  }
}

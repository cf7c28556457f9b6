import ArgumentParser
import Augment
import Backbones
import Base
import Checkpoints
import DiffusionCore
import Features

/// Which activations are the features: short forms of settings.
struct FeatureOptions: ParsableArguments {
  @Option(help: .of("steps", in: DiffusionSelection.self)) var steps: String?
  @Option(help: .of("blocks", in: DiffusionSelection.self)) var blocks: String?
  @Option(help: .of("layers", in: SwAVSelection.self)) var layers: String?
  @Option(
    help: ArgumentHelp(
      "Noise for all pictures, [3, size, size], instead of the seed's.", valueName: "file.npy"))
  var noise: String?
  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Class that a class-conditional diffusion model is told, a number from 0. (default: 0)",
      valueName: "number"))
  var conditioningClass: String?

  /// What was given on the command line, by the keys of option tables.
  var given: [String: String] {
    let all = [
      "steps": steps, "blocks": blocks, "layers": layers, "noise": noise, "class": conditioningClass,
    ]
    return all.compactMapValues(\.self)
  }
}

/// Whether pictures share a noise.
struct NoiseOptions: ParsableArguments {
  @Flag(help: "Draw new noise for every picture instead of one for all.")
  var freshNoise = false

  var given: [String: String] { freshNoise ? ["noise": "per-image"] : [:] }
}

/// Values joined by commas.
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

import Backbones
import Base
import Foundation

/// An experiment of ddpm-segmentation, as its `experiments/<data set>/{ddpm,mae,swav,swav_w2}.json` files describe it.
public struct ExperimentConfiguration: Sendable, Equatable {
  /// Path of the file.
  public var file: String
  /// Folder of the experiment.
  public var experimentDirectory: String
  public var classCount: Int
  public var ignoreLabel: UInt8
  public var trainingPath: String
  public var testingPath: String?
  /// Take only the first pictures.
  public var trainingNumber: Int?
  public var testingNumber: Int?
  /// Kind of the pretrained model, a name of the registry.
  public let kind: String
  private let hasSteps: Bool
  /// Path of the pretrained model.
  public var modelPath: String
  public var imageSize: Int
  /// Length of a pixel's vector that the file states.
  public var featureCount: Int
  public var steps: [Int]
  public var blocks: [Int]
  public var members: Int
  public var batchSize: Int
  /// One noise for all pictures.
  public var sharesNoise: Bool

  /// Reads a configuration. Paths stay as they are, relative to the working directory.
  /// - Parameters:
  ///   - path: path of the file
  ///   - registry: the kinds of models that are known
  /// - Throws: `DataError` naming the key that is missing or of another type, or a setting that only other kinds
  ///   of models have.
  public init(contentsOf path: String, registry: BackboneRegistry = .standard) throws(DataError) {
    let json = try JSONObject(contentsOf: path)
    let type = try json.stringIfPresent("model_type") ?? "ddpm"
    let known = registry.kinds.compactMap { kind in kind.experiments.map { (name: kind.kind, has: $0) } }
    guard let model = known.first(where: { $0.has.types.contains(type) }) else {
      throw DataError(
        .unsupported, file: path, item: "model_type",
        expected: known.flatMap(\.has.types).joined(separator: ", "), found: type)
    }
    kind = model.name
    hasSteps = model.has.hasSteps
    let takesInputs = model.has.inputActivations
    guard try json.boolIfPresent("input_activations") ?? takesInputs == takesInputs else {
      throw DataError(
        .unsupported, file: path, item: "input_activations", expected: "\(takesInputs), for \(type)",
        found: "\(!takesInputs)")
    }
    let upsampling = try json.stringIfPresent("upsample_mode") ?? "bilinear"
    guard upsampling == "bilinear" else {
      throw DataError(
        .unsupported, file: path, item: "upsample_mode", expected: "bilinear", found: upsampling)
    }
    let dimensions = try json.integers("dim")
    guard dimensions.count == 3, dimensions.allSatisfy({ $0 > 0 }), dimensions[0] == dimensions[1] else {
      throw json.error("dim", expected: "[size, size, features]", found: "\(dimensions)")
    }
    let ignore = try json.integer("ignore_label")
    guard let ignoreLabel = UInt8(exactly: ignore) else {
      throw json.error("ignore_label", expected: "0 to 255", found: "\(ignore)")
    }
    file = path
    self.ignoreLabel = ignoreLabel
    classCount = try Self.positive("number_class", in: json, default: nil, most: 255)
    trainingPath = try json.string("training_path")
    testingPath = try json.stringIfPresent("testing_path")
    trainingNumber = try json.integerIfPresent("training_number")
    testingNumber = try json.integerIfPresent("testing_number")
    modelPath = try json.string("model_path")
    imageSize = dimensions[0]
    featureCount = dimensions[2]
    steps = try hasSteps ? json.integers("steps") : json.integersIfPresent("steps") ?? []
    blocks = try hasSteps ? json.integers("blocks") : json.integersIfPresent("blocks") ?? []
    guard hasSteps || (steps.isEmpty && blocks.isEmpty) else {
      throw json.error(
        "steps", expected: "none, and no blocks, for \(type)", found: "\(steps) and blocks \(blocks)")
    }
    members = try Self.positive("model_num", in: json, default: 10, most: 1000)
    batchSize = try Self.positive("batch_size", in: json, default: 64, most: 1 << 20)
    sharesNoise = try json.boolIfPresent("share_noise") ?? false
    experimentDirectory = try json.string("exp_dir")
  }

  /// Settings of the model and its activations, by the keys of its option tables.
  public var settings: [String: String] {
    func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
    guard hasSteps else { return ["image-size": "\(imageSize)"] }
    return [
      "image-size": "\(imageSize)", "steps": list(steps), "blocks": list(blocks),
      "noise": sharesNoise ? "shared" : "per-image",
    ]
  }

  /// Folder of the results of the steps and blocks of some settings: `<exp_dir>/<steps>_<blocks>`, as in the reference;
  /// `<exp_dir>` itself for models without steps.
  public func outputDirectory(_ settings: [String: String]) -> String {
    guard hasSteps else { return experimentDirectory }
    let lists = ["steps", "blocks"].map { settings[$0] ?? self.settings[$0]! }
    let suffix = lists.joined(separator: "_").replacing(",", with: "_")
    return (experimentDirectory as NSString).appendingPathComponent(suffix)
  }

  private static func positive(
    _ key: String, in json: JSONObject, default fallback: Int?, most: Int
  ) throws(DataError) -> Int {
    let value = try fallback == nil ? json.integer(key) : json.integerIfPresent(key) ?? fallback!
    guard (1...most).contains(value) else {
      throw json.error(key, expected: "1 to \(most)", found: "\(value)")
    }
    return value
  }
}

import Base
import Foundation

/// An experiment of ddpm-segmentation, as its `experiments/<data set>/ddpm.json` files describe it.
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
  /// Path of the diffusion model.
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
  /// - Throws: `DataError` naming the key that is missing or of another type, or a setting that only other kinds
  ///   of models have.
  public init(contentsOf path: String) throws(DataError) {
    let json = try JSONObject(contentsOf: path)
    let kind = try json.stringIfPresent("model_type") ?? "ddpm"
    guard kind == "ddpm" else {
      throw DataError(.unsupported, file: path, item: "model_type", expected: "ddpm", found: kind)
    }
    if try json.boolIfPresent("input_activations") ?? false {
      throw DataError(.unsupported, file: path, item: "input_activations", expected: "false", found: "true")
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
    steps = try json.integers("steps")
    blocks = try json.integers("blocks")
    members = try Self.positive("model_num", in: json, default: 10, most: 1000)
    batchSize = try Self.positive("batch_size", in: json, default: 64, most: 1 << 20)
    sharesNoise = try json.boolIfPresent("share_noise") ?? false
    experimentDirectory = try json.string("exp_dir")
  }

  /// Settings of the model and its activations, by the keys of guided-diffusion's option tables.
  public var settings: [String: String] {
    func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
    return [
      "image-size": "\(imageSize)", "steps": list(steps), "blocks": list(blocks),
      "noise": sharesNoise ? "shared" : "per-image",
    ]
  }

  /// Folder of the results of the steps and blocks of some settings: `<exp_dir>/<steps>_<blocks>`, as in the reference.
  public func outputDirectory(_ settings: [String: String]) -> String {
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

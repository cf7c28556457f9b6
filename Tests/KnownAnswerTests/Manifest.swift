import Checkpoints
import DiffusionCore
import Foundation
import TensorCore

/// The cases of a folder of known answers: `manifest.json` and the files it names. The format is told in the
/// folder's README.
final class Manifest: Sendable {
  /// The folder named by `GOLDEN_DIR`, or the one that comes with the package.
  static let shared = Manifest()

  let folder: String
  /// Whether it is the folder that comes with the package.
  let isOwnFolder: Bool
  let cases: [KnownCase]
  /// Names of the operations, in order of appearance.
  let operations: [String]

  private init() {
    let named = ProcessInfo.processInfo.environment["GOLDEN_DIR"]
    isOwnFolder = named == nil
    folder =
      named
      ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/golden").path
    guard let data = FileManager.default.contents(atPath: "\(folder)/manifest.json") else {
      preconditionFailure("no \(folder)/manifest.json")
    }
    do {
      cases = try JSONDecoder().decode(ManifestFile.self, from: data).cases
    } catch {
      preconditionFailure("\(folder)/manifest.json: \(error)")
    }
    var seen = Set<String>()
    operations = cases.map(\.op).filter { seen.insert($0).inserted }
  }

  private struct ManifestFile: Decodable { var cases: [KnownCase] }
}

/// One case: what to compute, from what, and what must come out.
struct KnownCase: Decodable, Sendable {
  var id: String
  var op: String
  var parameters: [String: JSONValue]
  var inputs: [String: TensorReference]
  var outputs: [String: Expectation]
  var optional: Bool?
  /// How convolutions are computed: chosen by the test, not part of the file.
  var precision = ConvolutionPolicy.Precision.reference

  enum CodingKeys: String, CodingKey { case id, op, parameters, inputs, outputs, optional }

  var isOptional: Bool { optional ?? false }
}

/// Where a tensor is stored.
struct TensorReference: Decodable, Sendable {
  var file: String
  var tensor: String
}

/// What is expected of one output, and within which limits.
struct Expectation: Decodable, Sendable {
  var value: JSONValue?
  var file: String?
  var tensor: String?
  var shape: [Int]?
  var sampledAt: String?
  var compare: String?
  var absolute: Double?
  var relative: Double?
  var relativeNorm: Double?
  var meanAbsolute: Double?
  var mismatchFraction: Double?

  /// The limits times ten, for algorithms that round more.
  var widened: Expectation {
    var wide = self
    wide.absolute = absolute.map { 10 * $0 }
    wide.relativeNorm = relativeNorm.map { 10 * $0 }
    return wide
  }

  enum CodingKeys: String, CodingKey {
    case value, file, tensor, shape, compare
    case sampledAt = "sampled_at"
    case absolute = "atol"
    case relative = "rtol"
    case relativeNorm = "rel_l2_tol"
    case meanAbsolute = "mean_abs_tol"
    case mismatchFraction = "max_mismatch_fraction"
  }
}

/// Any JSON value.
enum JSONValue: Decodable, Sendable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  var double: Double? { if case .number(let value) = self { value } else { nil } }
  var int: Int? { double.flatMap { Int(exactly: $0) } }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
}

/// The tensors of the folder's `.safetensors` files, opened once.
final class GoldenTensors: Sendable {
  static let shared = GoldenTensors()
  private let cache = SharedCache<String, [String: NumericArray]>()

  func array(_ file: String, _ tensor: String) throws -> NumericArray {
    let tensors = try cache.value(for: file) {
      let file = try SafetensorsFile(contentsOf: "\(Manifest.shared.folder)/\(file)")
      return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.array) })
    }
    guard let array = tensors[tensor] else {
      throw DataError(.malformed, file: file, item: tensor, expected: "a tensor of this name", found: "none")
    }
    return array
  }
}

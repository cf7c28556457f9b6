import Base
import Checkpoints
import Foundation
import Layers

/// The cases of a folder of known answers: `manifest.json` and the files it names. The format is told in the
/// folder's README.
final class Manifest: Sendable {
  /// Those of the folder named by `GOLDEN_DIR`, or of each folder in it that has a manifest; without the variable those
  /// that come with the package.
  static let all = found()

  /// Last component of the folder.
  let name: String
  let cases: [KnownCase]
  /// Names of the operations, in order of appearance.
  let operations: [String]

  private init(folder: String) {
    guard let data = FileManager.default.contents(atPath: "\(folder)/manifest.json") else {
      preconditionFailure("no \(folder)/manifest.json")
    }
    do {
      cases = try JSONDecoder().decode(ManifestFile.self, from: data).cases.map { known in
        var known = known
        known.folder = folder
        return known
      }
    } catch {
      preconditionFailure("\(folder)/manifest.json: \(error)")
    }
    name = (folder as NSString).lastPathComponent
    var seen = Set<String>()
    operations = cases.map(\.op).filter { seen.insert($0).inserted }
  }

  private static func found() -> [Manifest] {
    func hasManifest(_ folder: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(folder)/manifest.json")
    }
    func folders(in folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .map { "\(folder)/\($0)" }.filter(hasManifest)
    }
    guard let named = ProcessInfo.processInfo.environment["GOLDEN_DIR"] else {
      let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path
      return (["\(fixtures)/golden"] + folders(in: "\(fixtures)/golden-more")).map(Manifest.init(folder:))
    }
    if hasManifest(named) { return [Manifest(folder: named)] }
    let found = folders(in: named)
    precondition(!found.isEmpty, "no manifest.json in \(named) or a folder in it")
    return found.map(Manifest.init(folder:))
  }

  private struct ManifestFile: Decodable { var cases: [KnownCase] }
}

/// One case: what to compute, from what, and what must come out.
struct KnownCase: Decodable, Sendable {
  var id: String
  var op: String
  var parameters: Parameters
  var inputs: [String: TensorReference]
  var outputs: [String: Expectation]
  var optional: Bool?
  /// Where its files lie: chosen by the manifest, not part of it.
  var folder = ""
  /// How convolutions are computed: chosen by the test, not part of the file.
  var precision = ConvolutionPolicy.Precision.reference
  /// Inputs that were read.
  var read = AskedNames()

  enum CodingKeys: String, CodingKey { case id, op, parameters, inputs, outputs, optional }

  var isOptional: Bool { optional ?? false }

  /// The case before anything of it was read.
  var fresh: KnownCase {
    var known = self
    (known.parameters, known.read) = (parameters.fresh, AskedNames())
    return known
  }
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

/// The tensors of `.safetensors` files, each opened once.
final class GoldenTensors: Sendable {
  static let shared = GoldenTensors()
  private let cache = SharedCache<String, [String: NumericArray]>()

  func array(_ path: String, _ tensor: String) throws -> NumericArray {
    let tensors = try cache.value(for: path) {
      let file = try SafetensorsFile(contentsOf: path)
      return Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.array) })
    }
    guard let array = tensors[tensor] else {
      throw DataError(.malformed, file: path, item: tensor, expected: "a tensor of this name", found: "none")
    }
    return array
  }
}

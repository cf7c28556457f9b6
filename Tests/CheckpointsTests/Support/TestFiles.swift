import Base
import Checkpoints
import Foundation
import TestSupport
import Testing

/// The known answers that come with the package.
enum Golden {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/golden")

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  static func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: folder.appending(path: name)))
  }
}

/// A folder that goes away with the object.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "dseg-checkpoints-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file and gives its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: url.appending(path: name))
    return path(name)
  }

  /// Names of everything inside, sorted.
  func contents() throws -> [String] { try content }

  var content: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }
}

/// Runs `body`, which must throw a `DataError` whose message mentions all of `words`.
@discardableResult
func expectRefusal(
  _ kind: DataError.Kind? = nil, mentions words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  by body: () throws -> Void
) -> DataError? {
  let error = #expect(throws: DataError.self, sourceLocation: sourceLocation) { try body() }
  guard let error else { return nil }
  if let kind { #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation) }
  for word in words {
    #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation)
  }
  return error
}

/// Random numbers that are the same in every run (Steele, Lea and Flood, "SplitMix").
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

extension [UInt8] {
  /// The bytes of numbers as they lie in memory.
  init<Number: BitwiseCopyable>(of numbers: [Number]) {
    self = numbers.withUnsafeBytes { Array($0) }
  }

  mutating func append<Number: FixedWidthInteger>(_ number: Number, bigEndian: Bool = false) {
    Swift.withUnsafeBytes(of: bigEndian ? number.bigEndian : number.littleEndian) { self += $0 }
  }
}

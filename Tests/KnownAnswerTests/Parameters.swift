import Base
import Synchronization

/// The settings of a case. They remember what was asked for: a setting that no operation reads is a failure, rather than
/// silently taken for its usual value.
struct Parameters: Decodable, Sendable {
  private var values: [String: JSONValue]
  private var asked = AskedNames()
  /// Where in the case they stand: empty, or `name.` of the object around them.
  private var path = ""

  init(from decoder: any Decoder) throws {
    values = try decoder.singleValueContainer().decode([String: JSONValue].self)
  }

  private init(_ values: [String: JSONValue], asked: AskedNames, path: String) {
    (self.values, self.asked, self.path) = (values, asked, path)
  }

  /// The same, of which nothing was asked yet.
  var fresh: Parameters { Parameters(values, asked: AskedNames(), path: path) }

  /// Whether there is a setting that is not null.
  func has(_ name: String) -> Bool { values[name].map { $0 != .null } ?? false }

  /// A setting; nil when it is not there or null.
  subscript(_ name: String) -> JSONValue? {
    asked.note(path + name)
    return has(name) ? values[name] : nil
  }

  /// Settings that describe a case and decide nothing.
  func describes(_ names: String...) { for name in names { asked.note(path + name) } }

  /// All that nobody asked for, those of inner objects as `outer.inner`.
  var unasked: [String] { leaves.filter { !asked.holds($0) }.sorted() }

  private var leaves: [String] {
    values.flatMap { name, value -> [String] in
      switch value {
      case .object(let inner): Parameters(inner, asked: asked, path: "\(path)\(name).").leaves
      case .array(let list) where list.first?.object != nil:
        list.enumerated().flatMap { index, item in
          Parameters(item.object ?? [:], asked: asked, path: "\(path)\(name)[\(index)].").leaves
        }
      default: [path + name]
      }
    }
  }

  // MARK: Of a type

  func int(_ name: String) throws -> Int { try require(name, "a whole number") { $0.int } }
  func double(_ name: String) throws -> Double { try require(name, "a number") { $0.double } }
  func bool(_ name: String) throws -> Bool { try require(name, "true or false") { $0.bool } }
  func string(_ name: String) throws -> String { try require(name, "a string") { $0.string } }

  func ints(_ name: String) throws -> [Int] {
    try require(name, "whole numbers") { $0.array?.allOrNone(\.int) }
  }

  func doubles(_ name: String) throws -> [Double] {
    try require(name, "numbers") { $0.array?.allOrNone(\.double) }
  }

  func strings(_ name: String) throws -> [String] {
    try require(name, "strings") { $0.array?.allOrNone(\.string) }
  }

  /// Lists of whole numbers.
  func intLists(_ name: String) throws -> [[Int]] {
    try require(name, "lists of whole numbers") { $0.array?.allOrNone { $0.array?.allOrNone(\.int) } }
  }

  /// Lists of numbers.
  func doubleLists(_ name: String) throws -> [[Double]] {
    try require(name, "lists of numbers") { $0.array?.allOrNone { $0.array?.allOrNone(\.double) } }
  }

  /// One of a set of names.
  func named<Name: RawRepresentable<String>>(_ name: String) throws -> Name {
    try require(name, "the name of a \(Name.self)") { $0.string.flatMap(Name.init(rawValue:)) }
  }

  /// One grey level for three channels, or one of each.
  func levels(_ name: String) throws -> [UInt8] {
    try require(name, "a grey level or three") { value in
      let list = value.array?.allOrNone(\.int) ?? value.int.map { [$0, $0, $0] } ?? []
      return list.count == 3 ? list.allOrNone { UInt8(exactly: $0) } : nil
    }
  }

  /// The seed of a generator, which may take all 64 bits; negative ones are two's complements, as PyTorch has it.
  func seed(_ name: String) throws -> UInt64 {
    try require(name, "a seed") { value in
      if case .whole(let seed) = value { return seed }
      return value.int.map { UInt64(bitPattern: Int64($0)) }
    }
  }

  func intIfPresent(_ name: String) throws -> Int? { try has(name) ? int(name) : noted(name) }
  func boolIfPresent(_ name: String) throws -> Bool? { try has(name) ? bool(name) : noted(name) }
  func stringIfPresent(_ name: String) throws -> String? { try has(name) ? string(name) : noted(name) }

  /// An object inside.
  func part(_ name: String) throws -> Parameters {
    guard let object = values[name]?.object else { throw mismatch(name, "an object") }
    return Parameters(object, asked: asked, path: "\(path)\(name).")
  }

  /// A list of objects.
  func parts(_ name: String) throws -> [Parameters] {
    guard let list = values[name]?.array?.allOrNone(\.object) else { throw mismatch(name, "objects") }
    if list.isEmpty { asked.note(path + name) }
    return list.enumerated().map { Parameters($1, asked: asked, path: "\(path)\(name)[\($0)].") }
  }

  /// - Throws: when a setting is there and is another.
  func expect(_ name: String, _ expected: JSONValue) throws {
    guard let value = self[name] else { return }
    if value != expected { throw mismatch(name, "\(expected)") }
  }

  /// What is wrong with a setting.
  func mismatch(_ name: String, _ expected: String) -> DataError {
    DataError(
      .unsupported, file: "parameter", item: path + name, expected: expected,
      found: values[name].map { "\($0)" } ?? "none")
  }

  private func require<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws -> Value {
    guard let value = self[name].flatMap(read) else { throw mismatch(name, expected) }
    return value
  }

  private func noted<Value>(_ name: String) -> Value? {
    asked.note(path + name)
    return nil
  }
}

/// Names that were asked for.
final class AskedNames: Sendable {
  private let names = Mutex(Set<String>())

  func note(_ name: String) { names.withLock { _ = $0.insert(name) } }
  func holds(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
}

extension Array {
  /// All elements turned into something else; nil when one cannot be.
  func allOrNone<Value>(_ body: (Element) -> Value?) -> [Value]? {
    let values = compactMap(body)
    return values.count == count ? values : nil
  }
}

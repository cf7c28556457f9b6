import Base
import Checkpoints
import TensorCore

/// What an operation gave for one output.
enum Answer {
  case numbers([Double], shape: [Int])
  case value(JSONValue)

  static func tensor(_ tensor: Tensor) -> Answer {
    .numbers(tensor.elements.map(Double.init), shape: tensor.shape)
  }

  static func array(_ array: NumericArray) -> Answer {
    .numbers(array.doubles(), shape: array.shape)
  }

  static func scalar(_ value: some BinaryFloatingPoint) -> Answer { .numbers([Double(value)], shape: [1]) }

  static func list(_ values: [Double]) -> Answer { .numbers(values, shape: [values.count]) }

  static func integers<Number: BinaryInteger>(_ values: [Number], shape: [Int]? = nil) -> Answer {
    .numbers(values.map { Double($0) }, shape: shape ?? [values.count])
  }

  static func int(_ value: Int) -> Answer { .value(.number(Double(value))) }
  static func bool(_ value: Bool) -> Answer { .value(.bool(value)) }
  static func strings(_ values: [String]) -> Answer { .value(.array(values.map { .string($0) })) }
}

extension KnownCase {
  func has(_ name: String) -> Bool { inputs[name] != nil }

  func array(_ name: String) throws -> NumericArray {
    guard let reference = inputs[name] else {
      throw DataError(.malformed, file: id, item: name, expected: "an input of this name", found: "none")
    }
    read.note(name)
    return try GoldenTensors.shared.array("\(folder)/\(reference.file)", reference.tensor)
  }

  func tensor(_ name: String) throws -> Tensor { try array(name).tensor() }

  func tensorIfPresent(_ name: String) throws -> Tensor? { has(name) ? try tensor(name) : nil }

  func ints(_ name: String) throws -> [Int] { try array(name).int64s().map { Int($0) } }

  /// Labels of pixels.
  func labels(_ name: String) throws -> [UInt8] { try ints(name).map { UInt8($0) } }

  /// Classes of a network's pictures, where there are any.
  func classesIfPresent() throws -> [Int]? { has("y") ? try ints("y") : nil }

  /// A path of the folder.
  func path(_ relative: String) -> String { "\(folder)/\(relative)" }
}

import Base
import Checkpoints
import Foundation
import TensorCore

/// The known answers that come with the package, for unit tests that start from one.
enum Golden {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/golden").path

  static func path(_ relative: String) -> String { "\(folder)/\(relative)" }

  static func array(_ name: String) throws -> NumericArray {
    let file = try SafetensorsFile(contentsOf: path("segmentation.safetensors"))
    guard let tensor = file.tensors.first(where: { $0.name == name }) else {
      throw DataError(.malformed, file: file.path, item: name, expected: "a tensor", found: "none")
    }
    return tensor.array
  }

  static func tensor(_ name: String) throws -> Tensor { try array(name).tensor() }
  static func ints(_ name: String) throws -> [Int] { try array(name).int64s().map { Int($0) } }
  static func labels(_ name: String) throws -> [UInt8] { try array(name).int64s().map { UInt8($0) } }
}

import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Real files, cut short and with wrong bytes: whatever comes, a reader returns or throws.
@Suite("Damaged files")
struct DamagedFileTests {
  static let files = [
    "bf16.pt", "dtypes.pt", "legacy.pt", "nested.pt", "optimizer.pt", "parameters.pt", "views.pt",
    "views_legacy.pt",
    "wrapped.pt", "bool.npy", "f64.npy", "i32_fortran.npy", "dataset.npz", "dataset_compressed.npz",
    "small.safetensors",
  ]

  /// A file of the known answers, or a safetensors file made here.
  static func bytes(_ name: String) throws -> [UInt8] {
    guard name == "small.safetensors" else { return try Golden.bytes("formats/\(name)") }
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter(metadata: ["key": "value"])
    writer.append("w", Tensor([1, 2, 3, 4], shape: [2, 2]))
    writer.append("h", Tensor([1, 2, 3], shape: [3]), as: .float16)
    try writer.write(to: folder.path(name))
    return try Array(Data(contentsOf: folder.url.appending(path: name)))
  }

  /// A file that is changed in place and opened again and again.
  final class Patient {
    let path: String
    let original: [UInt8]
    private let folder: TemporaryFolder
    private let descriptor: Int32

    init(_ name: String) throws {
      folder = try TemporaryFolder()
      original = try DamagedFileTests.bytes(name)
      path = try folder.file(name, original)
      descriptor = open(path, O_RDWR)
    }

    deinit { close(descriptor) }

    func overwrite(_ byte: UInt8, at position: Int) {
      var byte = byte
      #expect(pwrite(descriptor, &byte, 1, off_t(position)) == 1)
    }

    func heal(at position: Int) { overwrite(original[position], at: position) }

    func truncate(to count: Int) { #expect(ftruncate(descriptor, off_t(count)) == 0) }

    /// Opens the file and loads all that it holds.
    /// - Returns: whether that went well; every other outcome is a `DataError`.
    func isReadable() -> Bool {
      do {
        if path.hasSuffix(".npy") {
          read(try NpyFile(contentsOf: path).array)
        } else if path.hasSuffix(".npz") {
          let file = try NpzFile(contentsOf: path)
          for name in file.names { read(try file.array(named: name)) }
        } else {
          let checkpoint = try Checkpoint(contentsOf: path)
          for tensor in checkpoint.tensors { read(tensor.array) }
          _ = try? StateDictionary(checkpoint)
        }
        return true
      } catch {
        return false
      }
    }

    private func read(_ array: NumericArray) {
      #expect(array.tensor().count == array.count)
      #expect(array.int64s().count == array.count)
    }
  }

  @Test("cut short after every byte", arguments: files)
  func truncation(name: String) throws {
    let patient = try Patient(name)
    #expect(patient.isReadable())
    for count in (0..<patient.original.count).reversed() {
      patient.truncate(to: count)
      #expect(!patient.isReadable(), "\(count) of \(patient.original.count) bytes")
    }
  }

  @Test("every byte changed: all bits flipped, one bit flipped, largest and smallest", arguments: files)
  func flippedBytes(name: String) throws {
    let patient = try Patient(name)
    for (position, byte) in patient.original.enumerated() {
      for changed in [~byte, byte ^ 1, 0xFF, 0] where changed != byte {
        patient.overwrite(changed, at: position)
        _ = patient.isReadable()
      }
      patient.heal(at: position)
    }
    #expect(patient.isReadable())
  }

  @Test("many bytes changed at random", arguments: files)
  func randomDamage(name: String) throws {
    let patient = try Patient(name)
    var random = SplitMix(state: 42)
    for _ in 0..<400 {
      let positions = (0..<Int.random(in: 2...16, using: &random)).map { _ in
        Int.random(in: 0..<patient.original.count, using: &random)
      }
      for position in positions {
        // Bytes that are already there make damage that passes more checks than noise would.
        let donor = patient.original[Int.random(in: 0..<patient.original.count, using: &random)]
        patient.overwrite(
          Bool.random(using: &random) ? donor : UInt8.random(in: .min ... .max, using: &random), at: position)
      }
      _ = patient.isReadable()
      for position in positions { patient.heal(at: position) }
    }
    #expect(patient.isReadable())
  }
}

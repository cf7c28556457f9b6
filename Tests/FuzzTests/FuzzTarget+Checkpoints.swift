import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Images
import TensorCore
import TestSupport

/// Files of the repository that others have written.
private func fixtures(_ folder: String, _ names: [String]) throws -> [[UInt8]] {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  return try names.map { Array(try Data(contentsOf: root.appending(path: "Fixtures/\(folder)/\($0)"))) }
}

extension FuzzTarget {
  static func fixture(_ folder: String, _ names: [String]) throws -> [[UInt8]] { try fixtures(folder, names) }

  /// Elements that are read of an array; the program asks for shapes that it knows.
  private static let mostElements = 1 << 22

  private static func use(_ array: NumericArray) {
    guard array.count <= mostElements else { return }
    precondition(array.tensor().count == array.count && array.int64s().count == array.count)
  }

  /// As `inspect` and every command with a checkpoint begins.
  private static func readCheckpoint(_ path: String) throws {
    let checkpoint = try Checkpoint(contentsOf: path)
    for tensor in checkpoint.tensors { use(tensor.array) }
    // Most of what is sound here is no network.
    do throws(DataError) {
      _ = try DiffusionBackbone(checkpoint: path, options: DiffusionOptions(checkpoint: path))
    } catch {}
  }

  static func torchZip() throws -> FuzzTarget {
    let names = ["bf16", "dtypes", "fp16", "nested", "optimizer", "parameters", "plain", "views", "wrapped"]
    return FuzzTarget(
      ending: "pt",
      seeds: try fixtures("golden/formats", names.map { "\($0).pt" })
        + fixtures("golden", ["unet_heads4.pt"]),
      mutations: ZipMutation { $0.hasSuffix(".pkl") ? PickleMutation.any : ByteMutation.any }.all,
      read: readCheckpoint)
  }

  static func torchLegacy() throws -> FuzzTarget {
    FuzzTarget(
      ending: "pt", seeds: try fixtures("golden/formats", ["legacy.pt", "views_legacy.pt"]),
      mutations: PickleMutation.all, read: readCheckpoint)
  }

  static func safetensors() throws -> FuzzTarget {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter(metadata: ["key": "value", "dseg.image_size": "32"])
    writer.append("w", Tensor([1, 2, 3, 4], shape: [2, 2]))
    writer.append("h", Tensor([1, 2, 3], shape: [3]), as: .float16)
    writer.append("b", Tensor([1, 2, 3], shape: [3, 1]), as: .bfloat16)
    writer.append("i", NumericArray([1, 2] as [Int64], shape: [2]))
    writer.append("e", Tensor([], shape: [0, 3]))
    try writer.write(to: folder.path("small"))
    let small = Array(try Data(contentsOf: URL(filePath: folder.path("small"))))
    return FuzzTarget(
      ending: "safetensors", seeds: [small] + (try fixtures("golden", ["unet_heads4.safetensors"])),
      mutations: HeaderMutation.safetensors.all, read: readCheckpoint)
  }

  static func npy() throws -> FuzzTarget {
    let names = ["bool", "f32_1d", "f32_scalar", "f64", "i16", "i32_fortran", "i64", "u8"]
    return FuzzTarget(
      ending: "npy", seeds: try fixtures("golden/formats", names.map { "\($0).npy" }),
      mutations: HeaderMutation.numpy.all
    ) { path in
      use(try NpyFile(contentsOf: path).array)
      _ = try LabelMask(contentsOf: path, classes: ClassList(count: 200))
    }
  }

  static func npz() throws -> FuzzTarget {
    let inside = HeaderMutation.numpy.all
    return FuzzTarget(
      ending: "npz", seeds: try fixtures("golden/formats", ["dataset.npz", "dataset_compressed.npz"]),
      mutations: ZipMutation { _ in { bytes, dice in dice.pick(inside)(&bytes, &dice) } }.all
    ) { path in
      let file = try NpzFile(contentsOf: path)
      for name in file.names { use(try file.array(named: name)) }
    }
  }
}

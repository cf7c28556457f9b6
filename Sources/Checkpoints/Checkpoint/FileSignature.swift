import Base
import Foundation

/// Tells by its first bytes what a file is, and what to do with one that is no checkpoint but often takes its place.
enum FileSignature {
  /// - Throws: `DataError` that says what the file is instead.
  static func format(of file: MappedFile) throws(DataError) -> Checkpoint.Format {
    let bytes = file.bytes
    if bytes.isEmpty {
      throw DataError(.malformed, file: file.path, expected: "a checkpoint", found: "an empty file")
    }
    // A length and a brace: first, since the length may look like anything.
    let length = SafetensorsFile.lengthSize
    if bytes.count > length, bytes[length] == UInt8(ascii: "{"), bytes[4..<length].allSatisfy({ $0 == 0 }) {
      return .safetensors
    }
    if let other = other(than: bytes) {
      throw DataError(
        .malformed, file: file.path, expected: "a PyTorch (.pt, .pth) or safetensors file", found: other)
    }
    if bytes.starts(with: "PK".utf8) { return .torchZip }
    // The instruction that begins every pickle of protocol 2 or later.
    if bytes[0] == PickleOpcode.protocol.rawValue { return .torchLegacy }
    if file.path.hasSuffix(".safetensors") || (bytes.count > length && bytes[length] == UInt8(ascii: "{")) {
      return .safetensors
    }
    throw DataError(
      .malformed, file: file.path, expected: "a PyTorch (.pt, .pth) or safetensors file",
      found: "a file of another format")
  }

  /// What a file that cannot be a checkpoint is; nil for all others.
  static func other(than bytes: UnsafeRawBufferPointer) -> String? {
    for (signature, what) in signatures where bytes.starts(with: signature) { return what }
    // POSIX.1-2017, `pax`, ustar header block.
    if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
      return "a tar archive; unpack it, the checkpoint is a file inside"
    }
    return text(bytes.prefix(1024))
  }

  /// Downloads that went wrong are text.
  private static func text(_ beginning: Slice<UnsafeRawBufferPointer>) -> String? {
    let start = String(decoding: beginning, as: UTF8.self).lowercased()
    let trimmed = start.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if trimmed.hasPrefix("version https://git-lfs") {
      return "a Git LFS pointer, which stands for the file; fetch the file itself with git lfs pull"
    }
    if ["<!doctype html", "<html", "<head", "<?xml", "<error", "<!--"].contains(where: trimmed.hasPrefix) {
      return "a web page: the download led to a page (log-in, confirmation, error), not to the file"
    }
    // A safetensors header follows eight bytes of length, so that no such file begins with a brace.
    if trimmed.hasPrefix("{\"") || trimmed.hasPrefix("{\n") || trimmed.hasPrefix("{ ") {
      return "JSON text (a configuration, or a server's answer); name the file with the weights"
    }
    return nil
  }

  private static let signatures: [(bytes: [UInt8], what: String)] = [
    ([0x1F, 0x8B], "a gzip archive; unpack it, the checkpoint is a file inside"),
    ([0xFD] + "7zXZ".utf8, "an xz archive; unpack it, the checkpoint is a file inside"),
    (Array("BZh".utf8), "a bzip2 archive; unpack it, the checkpoint is a file inside"),
    ([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive; unpack it, the checkpoint is a file inside"),
    (Array("7z".utf8) + [0xBC, 0xAF], "a 7z archive; unpack it, the checkpoint is a file inside"),
    (Array("Rar!".utf8), "a rar archive; unpack it, the checkpoint is a file inside"),
    (NpyHeader.magic, "a NumPy array"),
    ([0x89] + "HDF".utf8, "an HDF5 file, as Keras writes them"),
    (Array("GGUF".utf8), "a GGUF file"),
    ([0x89] + "PNG".utf8, "a picture"),
    ([0xFF, 0xD8, 0xFF], "a picture"),
    (Array("%PDF".utf8), "a PDF document"),
  ]

  /// A folder is no file, but what lies in it tells which file is meant.
  /// - Throws: `DataError` of kind `.noInput` for a folder.
  static func refuseFolder(_ path: String) throws(DataError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return
    }
    func has(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: (path as NSString).appendingPathComponent(name))
    }
    let found: String
    if has("model_index.json") || has("unet/config.json") || has("diffusion_pytorch_model.safetensors")
      || has("diffusion_pytorch_model.bin")
    {
      found =
        "a folder of diffusers, whose U-Nets have other names and layers; only guided-diffusion's are read"
    } else if has("data.pkl") {
      found = "the folder of an unpacked .pt file; name the .pt file itself"
    } else {
      found = "a folder; name the file inside it"
    }
    throw DataError(.noInput, file: path, expected: "a PyTorch (.pt, .pth) or safetensors file", found: found)
  }

  /// What a zip archive without PyTorch's objects is.
  static func zip(_ names: [String]) -> String {
    guard let first = names.first else { return "an empty zip archive" }
    if names.contains(where: { [".pt", ".pth", ".ckpt", ".safetensors"].contains(where: $0.hasSuffix) }) {
      return "a zip archive with a checkpoint in it; unpack it"
    }
    if names.allSatisfy({ $0.hasSuffix(".npy") }) { return "a NumPy archive (.npz)" }
    return "a zip archive with entries such as \(first.prefix(80))"
  }
}

import TensorCore

/// The picture formats that are read and written.
public enum FileFormat: Sendable, Hashable, CaseIterable {
  case png
  case jpeg

  /// The format of a file to be written, by its extension in any case: png, jpg or jpeg.
  /// - Throws: `DataError` of kind `.invalidArgument` for another extension.
  public init(extensionOf path: String) throws(DataError) {
    let name = path.split(separator: "/").last ?? ""
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count > 1 ? parts.last!.lowercased() : "" {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    case let other:
      throw DataError(
        .invalidArgument, file: path, item: "extension", expected: "png, jpg or jpeg",
        found: other.isEmpty ? "none" : other)
    }
  }

  /// The format of a file's bytes; `path` is only for the message.
  /// - Throws: `DataError` of kind `.malformed`, or `.unsupported` for picture formats known by name.
  init(contents: UnsafeRawBufferPointer, path: String) throws(DataError) {
    func begins(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      contents.count >= offset + signature.count
        && contents[offset..<offset + signature.count].elementsEqual(signature)
    }
    if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if begins([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if let other = Self.unreadFormats.first(where: { begins(Array($0.signature.utf8), at: $0.offset) })
    {
      throw DataError(
        .unsupported, file: path, expected: "a PNG or JPEG picture", found: "a \(other.name) file")
    } else {
      let start = contents.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      throw DataError(
        .malformed, file: path, expected: "a PNG or JPEG picture",
        found: start.isEmpty ? "an empty file" : "bytes \(start.joined(separator: " "))")
    }
  }

  /// Formats worth a name in the error message.
  private static let unreadFormats: [(name: String, signature: String, offset: Int)] = [
    ("GIF", "GIF8", 0), ("WebP", "WEBP", 8), ("BMP", "BM", 0), ("TIFF", "II*\0", 0), ("TIFF", "MM\0*", 0),
    ("HEIF", "ftyp", 4), ("NumPy", "\u{93}NUMPY", 0), ("PDF", "%PDF", 0),
  ]
}

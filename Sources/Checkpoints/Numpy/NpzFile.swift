import Base

/// Arrays under names in NumPy's `.npz` format: a zip file of `.npy` entries, compressed or not.
public struct NpzFile: Sendable {
  public let path: String
  /// In the order of the file, without `.npy`. Entries of other kinds are left out.
  public let names: [String]
  private let archive: ZipArchive

  private static let suffix = ".npy"

  /// Reads the table of contents; arrays are read when they are asked for.
  /// - Throws: `DataError` when there is no such file or it is no sound zip file.
  public init(contentsOf path: String) throws(DataError) {
    self.path = path
    archive = try ZipArchive(MappedFile(path: path))
    names = archive.entries.map(\.name).filter { $0.hasSuffix(Self.suffix) }.map {
      String($0.dropLast(Self.suffix.count))
    }
  }

  /// One array. Compressed entries are inflated anew at each call, others are used in place.
  /// - Throws: `DataError` when there is no array of that name, it is damaged, or its elements are not
  ///   numbers.
  public func array(named name: String) throws(DataError) -> NumericArray {
    guard let entry = archive[name + Self.suffix] else {
      throw DataError(
        .malformed, file: path, item: name, expected: "an array of that name",
        found: names.isEmpty ? "no arrays" : "arrays named \(names.joined(separator: ", "))")
    }
    return try NpyFile(archive.contents(of: entry), source: (path, name)).array
  }

  /// Element type and shape of an array, without its elements: a few kilobytes are inflated, however many it has.
  /// - Throws: `DataError` when there is no array of that name, or its header is damaged.
  public func layout(of name: String) throws(DataError) -> (elementType: ElementType, shape: [Int]) {
    guard let entry = archive[name + Self.suffix] else {
      throw DataError(.malformed, file: path, item: name, expected: "an array of that name", found: "none")
    }
    let start = try archive.beginning(of: entry, count: NpyHeader.largestSize)
    let header = try start.withBytes { (bytes) throws(DataError) in
      var reader = ByteReader(bytes)
      return try NpyHeader(&reader, source: (path, name))
    }
    return (header.elementType, header.shape)
  }

  /// Writes arrays without compression, under their names in the given order. The file appears under
  /// its name only when it is complete; the same arrays give the same bytes.
  /// - Throws: `DataError` of kind `.cannotCreate` or `.writeFailed`, or `.invalidArgument` for a name
  ///   that comes twice or is too long and for bfloat16, which the format does not have.
  public static func write(_ arrays: [NamedArray], to path: String) throws(DataError) {
    var names: Set<String> = []
    for item in arrays {
      guard names.insert(item.name).inserted, item.name.utf8.count < 1 << 15 else {
        throw DataError(
          .invalidArgument, file: path, item: String(item.name.prefix(80)),
          expected: "each name once and no longer than 32,767 bytes", found: "it")
      }
    }
    var writer = try ZipWriter(path: path)
    for item in arrays {
      let header = try NpyFile.header(for: item.array, file: path, item: item.name)
      let result = header.withUnsafeBytes { header in
        Result { () throws(DataError) in
          try item.array.withPackedBytes { (elements) throws(DataError) in
            try writer.append(item.name + suffix, parts: [header, elements])
          }
        }
      }
      try result.get()
    }
    try writer.commit()
  }
}

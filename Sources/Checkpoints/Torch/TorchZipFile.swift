import Base

/// PyTorch's file format since version 1.6: a zip archive of uncompressed entries, `data.pkl` with the
/// objects and `data/<key>` with the bytes of each storage, all in a folder of any name.
enum TorchZipFile {
  /// - Throws: `DataError`.
  static func read(_ file: MappedFile) throws(DataError) -> CheckpointValue {
    let archive = try ZipArchive(file)
    let suffix = "/data.pkl"
    guard let pickle = archive.entries.first(where: { $0.name.hasSuffix(suffix) }) else {
      throw DataError(
        .malformed, file: file.path, expected: "an entry data.pkl in the zip archive",
        found: FileSignature.zip(archive.entries.map(\.name)))
    }
    let folder = pickle.name.dropLast(suffix.utf8.count)
    let isBigEndian = try isBigEndian(archive, folder: folder)
    return try archive.storedBytes(of: pickle).withBytes { (bytes) throws(DataError) in
      var machine = PickleMachine(ByteReader(bytes), file: file.path, item: pickle.name)
      let root = try machine.run()
      var builder = TorchValueBuilder(
        file: file.path, pickle: pickle.name, heap: machine.heap, isBigEndian: isBigEndian
      ) { (storage) throws(DataError) in
        let name = "\(folder)/data/\(storage.key)"
        guard let entry = archive[name] else {
          throw DataError(
            .malformed, file: file.path, item: name, expected: "an entry with the bytes of the storage",
            found: "none")
        }
        return try storage.bytes(in: archive.storedBytes(of: entry), file: file.path)
      }
      return try builder.value(root)
    }
  }

  /// Files without the entry are little-endian.
  private static func isBigEndian(_ archive: ZipArchive, folder: Substring) throws(DataError) -> Bool {
    guard let entry = archive["\(folder)/byteorder"] else { return false }
    let order = try archive.storedBytes(of: entry).withBytes { String(validUTF8: $0) }
    switch order {
    case "little": return false
    case "big": return true
    default:
      throw DataError(
        .malformed, file: archive.file, item: entry.name, expected: "little or big",
        found: String((order ?? "damaged text").prefix(32)))
    }
  }
}

import Base
import Checkpoints

/// What a training remembers of its pictures, so that one that goes on does not do so with others unnoticed.
public struct PictureListRecord: Sendable, Equatable {
  public var count: Int
  /// SHA-256 of names and sizes of the files, in order. The folder may have moved; contents that changed without their
  /// size are not noticed.
  public var digest: String
  /// Classes in order, where the network is told them.
  public var classNames: [String]?

  /// - Parameters:
  ///   - names: paths inside the folder
  ///   - sizes: bytes of the files
  package init(names: [String], sizes: [Int], classNames: [String]?) {
    count = names.count
    var hash = SHA256()
    for (name, size) in zip(names, sizes) {
      let line = Array("\(name)\0\(size)\n".utf8)
      line.withUnsafeBytes { hash.update($0) }
    }
    digest = SHA256.hexadecimal(hash.digest())
    self.classNames = classNames
  }

  private static let countKey = "dseg.pictures"
  private static let digestKey = "dseg.pictures_sha256"
  private static let classesKey = "dseg.class_names"

  /// Names of folders hold no slash.
  private var classText: String? { classNames.map { $0.joined(separator: "/") } }

  package var metadata: [String: String] {
    var metadata = [Self.countKey: "\(count)", Self.digestKey: digest]
    metadata[Self.classesKey] = classText
    return metadata
  }

  /// Compares with what a checkpoint tells; one that tells nothing is taken as it is.
  /// - Parameter notices: told of other pictures where they are allowed
  /// - Throws: `DataError` that names what changed: the classes, or the pictures unless they may.
  package func check(
    against saved: [String: String], file: String, mayChange: Bool, notices: Notices
  ) throws(DataError) {
    guard let savedCount = saved[Self.countKey], let savedDigest = saved[Self.digestKey] else { return }
    if saved[Self.classesKey] != classText {
      throw DataError(
        .invalidArgument, file: file, item: "classes",
        expected: "\(saved[Self.classesKey] ?? "none"), as in the checkpoint", found: classText ?? "none")
    }
    guard savedCount != "\(count)" || savedDigest != digest else { return }
    let expected = "the \(savedCount) pictures of the checkpoint, with their names and sizes"
    let found = savedCount == "\(count)" ? "\(count) others" : "\(count)"
    guard mayChange else {
      throw DataError(
        .invalidArgument, file: file, item: "pictures", expected: "\(expected), or --changed-pictures",
        found: found)
    }
    notices.add(.changed, file: file, item: "pictures", "\(found) instead of \(expected)")
  }
}

import Base
import Synchronization

/// The file that a model was read from, as it was when it was opened.
public final class ModelOrigin: Sendable {
  /// Path of the file. Another file may stand there by now.
  public let path: String
  /// What stands before the names of the network in the file, a dot for nothing; nil when that is not known.
  public let weights: String?
  /// Whether it was one of several in the file, and not the one that version 0.1.0 would take.
  public let isNewChoice: Bool
  private let file: Mutex<OpenedFile?>

  /// A model whose file is at a path, unopened.
  public init(path: String) {
    self.path = path
    weights = nil
    isNewChoice = false
    file = Mutex(nil)
  }

  /// A model that was read from an open file.
  /// - Parameters:
  ///   - opened: the file, open as the model was read from it
  ///   - weights: what stands before the names of the network, a dot for nothing
  ///   - isNewChoice: whether version 0.1.0 would take another network of the file
  public init(_ opened: OpenedFile, weights: String, isNewChoice: Bool = false) {
    path = opened.path
    self.weights = weights
    self.isNewChoice = isNewChoice
    file = Mutex(opened)
  }

  /// SHA-256 of the bytes that were opened, in 64 hexadecimal digits; taken once. Where nothing was opened before, of
  /// those that are there now.
  /// - Throws: `DataError` when somebody wrote to the file since it was opened, or it cannot be read.
  public func sha256() throws(DataError) -> String {
    let opened = try file.withLock { (file) throws(DataError) in
      if let file { return file }
      let opened = try OpenedFile(path: path)
      file = opened
      return opened
    }
    return try opened.sha256()
  }

  /// Takes the digest of what was opened, if anything was, before long work on the model begins.
  /// - Throws: `DataError` when somebody wrote to the file since it was opened.
  public func takeDigest() throws(DataError) {
    let opened = file.withLock { $0 }
    _ = try opened?.sha256()
  }

  /// Checks that nobody has written to the file since it was opened: weights that are used where they lie in it would
  /// be of both models. Replacing the file by renaming another is no writing.
  /// - Throws: `DataError` when somebody has.
  public func checkUnchanged() throws(DataError) {
    let opened = file.withLock { $0 }
    try opened?.checkUnchanged()
  }
}

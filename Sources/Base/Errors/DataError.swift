/// What is wrong with something that came from outside: a file, a configuration, an argument.
///
/// One type for the whole package, so that typed throws compose without wrapping. It says which
/// file, which item inside it, what was expected and what was found.
public struct DataError: Error, Sendable, Equatable {
  /// The sort of failure.
  public enum Kind: Sendable, Equatable {
    /// An argument or option has a value that cannot be used.
    case invalidArgument
    /// The file was read, and what it holds is damaged, hostile or of another form than expected.
    case malformed
    /// The file is sound but needs something that this library does not do.
    case unsupported
    /// There is no such file, or it cannot be read.
    case noInput
    /// An output file cannot be created.
    case cannotCreate
    /// Writing failed half-way (disk full, for instance); nothing was left behind.
    case writeFailed
    /// A training has reached numbers that are not finite.
    case diverged
    /// The work is no longer wanted (`Cancellation`).
    case cancelled
  }

  public var kind: Kind
  /// Path of the file, or the name of the argument.
  public var file: String
  /// The part of it that is wrong: a tensor, a key, a header field. Empty when it is the whole.
  public var item: String
  /// What would have been right.
  public var expected: String
  /// What was there instead.
  public var found: String

  public init(_ kind: Kind, file: String, item: String = "", expected: String = "", found: String = "") {
    self.kind = kind
    self.file = file
    self.item = item
    self.expected = expected
    self.found = found
  }
}

extension DataError: CustomStringConvertible {
  /// `file: item: expected …, found …`, without the parts that are empty.
  public var description: String {
    var parts: [String] = []
    if !file.isEmpty { parts.append(file) }
    if !item.isEmpty { parts.append(item) }
    switch (expected.isEmpty, found.isEmpty) {
    case (false, false): parts.append("expected \(expected), found \(found)")
    case (false, true): parts.append("expected \(expected)")
    case (true, false): parts.append(found)
    case (true, true): break
    }
    return parts.joined(separator: ": ")
  }
}

import Base
import DiffusionSegmentation
import Foundation
import Synchronization

/// Messages go to standard error, results to standard output.
enum Terminal {
  static let messages = TerminalAbilities(STDERR_FILENO)
  private static let results = TerminalAbilities(STDOUT_FILENO)
  private static let isTaken = Mutex(false)

  /// Keeps results off standard output when a file that is written is just that (`--output /dev/stdout`).
  static func giveWay(to output: String) {
    var (file, stream) = (stat(), stat())
    guard stat(output, &file) == 0, fstat(STDOUT_FILENO, &stream) == 0, file.st_dev == stream.st_dev,
      file.st_ino == stream.st_ino, [S_IFREG, S_IFIFO].contains(file.st_mode & S_IFMT)
    else { return }
    isTaken.withLock { $0 = true }
  }

  /// A line for the user, in place of a bar that may be there and is drawn again below.
  static func message(_ text: String) {
    status((messages.redrawsLines ? "\r\u{1B}[2K" : "") + "dseg: \(text)\n")
  }

  /// Text on standard error as it is. A closed or full one stops no work.
  static func status(_ text: String) {
    _ = write(messages.shown(text), to: STDERR_FILENO)
  }

  /// A result on standard output, or on standard error where a file takes that place.
  /// - Throws: `DataError` when it cannot be written.
  static func output(_ text: String) throws(DataError) {
    if isTaken.withLock({ $0 }) { return status(text + "\n") }
    guard write(results.shown(text) + "\n", to: STDOUT_FILENO) else {
      throw DataError(.writeFailed, file: "standard output", found: String(cString: strerror(errno)))
    }
  }

  /// A value as JSON on standard output, keys in alphabetical order, with the notices of this run under `notices`.
  /// - Throws: `DataError` when it cannot be written or holds a number that JSON does not have.
  static func printJSON(_ value: some Encodable) throws(DataError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(WithNotices(value: value, notices: Notices.ofThisRun.all)) else {
      throw DataError(.malformed, file: "result", expected: "finite figures", found: "others")
    }
    try output(String(decoding: data, as: UTF8.self))
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

/// An object with one more key.
private struct WithNotices<Value: Encodable>: Encodable {
  var value: Value
  var notices: [Notice]

  private enum Key: String, CodingKey { case notices }

  func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(notices, forKey: .notices)
  }
}

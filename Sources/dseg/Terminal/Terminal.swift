import Foundation

/// Messages go to standard error, results to standard output.
enum Terminal {
  static let isInteractive = isatty(STDERR_FILENO) != 0

  /// A line for the user.
  static func message(_ text: String) {
    FileHandle.standardError.write(Data("dseg: \(text)\n".utf8))
  }

  /// Text on standard error as it is.
  static func status(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }

  /// A value as JSON on standard output, keys in alphabetical order.
  static func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    if let data = try? encoder.encode(value) { print(String(decoding: data, as: UTF8.self)) }
  }
}

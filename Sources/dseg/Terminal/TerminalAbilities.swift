import Foundation

/// What a stream can show.
struct TerminalAbilities {
  /// Whether a line can be drawn over: on a terminal that is not `dumb` or without a name, unless `NO_COLOR` asks for text
  /// without escape codes (no-color.org).
  let redrawsLines: Bool
  /// Whether characters beyond ASCII appear as such. A file takes them as they are, whatever the locale.
  let showsUnicode: Bool
  private let descriptor: Int32
  private let environment: [String: String]

  init(_ descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.descriptor = descriptor
    self.environment = environment
    let isTerminal = isatty(descriptor) != 0
    let name = environment["TERM"] ?? ""
    redrawsLines = isTerminal && name != "" && name != "dumb" && (environment["NO_COLOR"] ?? "").isEmpty
    showsUnicode = !isTerminal || Self.isUTF8(environment)
  }

  /// The first of these that is set decides, as for `setlocale`.
  private static func isUTF8(_ environment: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    let name = (locale ?? "").lowercased()
    return name.contains("utf-8") || name.contains("utf8")
  }

  /// Characters of a line. A window can be made wider or narrower at any time.
  var columns: Int {
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
  }

  /// Text with its characters beyond ASCII written in others, where they cannot be shown. Names of files may hold any
  /// character; those keep theirs, except for the few that messages use.
  func shown(_ text: String) -> String {
    guard !showsUnicode else { return text }
    var result = ""
    for character in text { result += Self.replacements[character] ?? String(character) }
    return result
  }

  private static let replacements: [Character: String] = [
    "█": "#", "░": ".", "·": "-", "…": "...", "×": "x", "±": "+-", "–": "-", "—": "-", "σ": "sd", "≥": ">=",
    "≤": "<=", "→": "->", "’": "'", "\u{2212}": "-",
  ]
}

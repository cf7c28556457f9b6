import Foundation

/// Numbers as the page writes them. What is not finite is a dash.
enum Figure {
  static let missing = "–"

  /// A share of 0 ... 1 in percent.
  static func percent(_ share: Double, digits: Int = 2) -> String {
    fixed(100 * share, digits: digits)
  }

  /// A difference of two shares in percentage points, with its sign.
  static func points(_ difference: Double) -> String {
    let text = fixed(100 * abs(difference), digits: 2)
    guard difference.isFinite, text != "0.00" else { return text }
    return (difference < 0 ? "−" : "+") + text
  }

  /// A time in seconds, with about three digits.
  static func seconds(_ seconds: Double) -> String {
    switch abs(seconds) {
    case ..<1: fixed(seconds, digits: 3)
    case ..<10: fixed(seconds, digits: 2)
    case ..<100: fixed(seconds, digits: 1)
    default: fixed(seconds, digits: 0)
    }
  }

  /// A time in the units that people use.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 60, seconds < 1e9 else { return "\(self.seconds(seconds)) s" }
    let minutes = Int((seconds / 60).rounded())
    return minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }

  /// Memory in decimal units.
  static func memory(bytes: Int) -> String {
    bytes >= 1_000_000_000
      ? "\(fixed(Double(bytes) / 1e9, digits: 2)) GB" : "\(fixed(Double(bytes) / 1e6, digits: 0)) MB"
  }

  /// A count with a comma before every three digits.
  static func count(_ count: Int) -> String {
    var digits = String(count.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (count < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// `a`, `a and b`, `a, b and c`.
  static func list(_ words: [String]) -> String {
    words.count < 2
      ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
  }

  /// A number of pictures, presets or the like: `1 picture`, `2 pictures`.
  static func count(_ count: Int, of noun: String) -> String {
    "\(self.count(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  /// Decimal places as many as asked for, in every locale with a point.
  static func fixed(_ value: Double, digits: Int) -> String {
    value.isFinite ? String(format: "%.\(digits)f", value) : missing
  }
}

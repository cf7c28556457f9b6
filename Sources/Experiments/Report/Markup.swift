/// A piece of HTML or SVG. What is put into it as text is escaped, so that no name can break a page:
///
///     let cell: Markup = "<td title=\"\(name)\">\(name)</td>"
///
/// Elements are closed as XML asks, for a page that both a browser and an XML parser read.
struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The characters of the page.
  let text: String

  init(stringLiteral value: String) { text = value }

  init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// Puts literals as they are, texts escaped, and markup as it is.
  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ literal: String) { text += literal }

    mutating func appendInterpolation(_ value: String) { text += Markup.escaped(value) }

    mutating func appendInterpolation(_ value: Int) { text += String(value) }

    mutating func appendInterpolation(_ value: Markup) { text += value.text }
  }

  /// `text` for an element's content or an attribute in double or single quotes. Characters that neither HTML nor
  /// XML can hold become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Markup {
  /// A name that may go on in a new line after each underscore, as names of classes often ask for.
  static func breakable(_ name: String) -> Markup {
    name.split(separator: "_", omittingEmptySubsequences: false).map { part -> Markup in "\(String(part))" }
      .joined(separator: "_<wbr/>")
  }
}

extension Sequence<Markup> {
  /// The pieces one after the other.
  func joined(separator: String = "") -> Markup {
    Markup(stringLiteral: map(\.text).joined(separator: separator))
  }
}

import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The elements of a page, read by an XML parser, which takes nothing that is not well-formed.
final class PageElements: NSObject, XMLParserDelegate {
  private(set) var ids: [String] = []
  private(set) var images: [[String: String]] = []
  private(set) var charts: [[String: String]] = []
  private var attributes: [String: [String: String]] = [:]
  private var texts: [String: String] = [:]
  private var open: [String?] = []

  init(_ html: String) throws {
    super.init()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = self
    guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }

  /// The text inside an element, without spaces at its ends.
  func text(_ id: String) -> String? {
    texts[id]?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  func attribute(_ id: String, _ name: String) -> String? { attributes[id]?[name] }

  /// The unrounded figure of an element.
  func value(_ id: String) -> Double? { attribute(id, "data-value").flatMap(Double.init) }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    let id = attributes["id"]
    if let id {
      ids.append(id)
      self.attributes[id] = attributes
      texts[id] = ""
    }
    if element == "img" { images.append(attributes) }
    if element == "svg" { charts.append(attributes) }
    open.append(id)
  }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    for id in open.compactMap({ $0 }) { texts[id]? += text }
  }
}

import Base

/// What stands in an XML file, piece by piece.
enum XMLEvent: Equatable {
  case start(name: String, attributes: [String: String])
  /// Without white space around it; never empty.
  case text(String)
  case end(name: String)
}

/// Reads XML in one pass, in time and memory proportional to its length: UTF-8, elements, attributes, text, the five
/// entities and numbers of characters (W3C, "Extensible Markup Language (XML) 1.0").
///
/// Files with a document type, which may define entities that grow without limit or lead to other files, are refused.
/// Comments and processing instructions are passed over.
struct XMLReader {
  /// Elements inside elements that a file may have.
  static let maximumDepth = 64
  static let maximumAttributes = 256

  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private var position = 0
  private var open: [String] = []
  private var isDone = false
  /// The end of an element that is written as one, `<a/>`.
  private var pendingEnd: String?

  /// - Parameters:
  ///   - bytes: the file, valid for as long as this is used
  ///   - file: stands in messages
  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    (self.bytes, self.file) = (bytes, file)
    if starts(with: "\u{FEFF}") { position = 3 }
  }

  /// Names of the elements that the place lies in, from the outermost.
  var path: [String] { open }

  /// Where the reader is, for messages.
  var line: Int { bytes[..<min(position, bytes.count)].reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) } }

  /// The next piece; nil after the last.
  /// - Throws: `DataError` of kind `.malformed` naming the line, `.unsupported` for a document type.
  mutating func next() throws(DataError) -> XMLEvent? {
    if let name = pendingEnd {
      pendingEnd = nil
      return end(name)
    }
    while position < bytes.count {
      if bytes[position] != UInt8(ascii: "<") {
        let text = try text()
        if text.isEmpty { continue }
        guard !open.isEmpty else { throw refuse("an element", "text outside of all") }
        return .text(text)
      }
      if starts(with: "<!--") {
        try skip(past: "-->")
      } else if starts(with: "<?") {
        try skip(past: "?>")
      } else if starts(with: "<![CDATA[") {
        position += 9
        let first = position
        try skip(past: "]]>")
        let text = try string(first..<position - 3)
        if text.isEmpty { continue }
        guard !open.isEmpty else { throw refuse("an element", "text outside of all") }
        return .text(text)
      } else if starts(with: "<!") {
        throw DataError(
          .unsupported, file: file, item: "line \(line)", expected: "XML without a document type",
          found: "<!\(peek(2..<10))")
      } else if starts(with: "</") {
        position += 2
        let name = try name()
        skipSpace()
        try expect(">")
        guard open.last == name else {
          throw refuse("</\(open.last ?? "")>", "</\(name)>")
        }
        return end(name)
      } else {
        return try start()
      }
    }
    guard open.isEmpty else { throw refuse("</\(open.last!)>", "the end of the file") }
    guard isDone else { throw refuse("an element", "none") }
    return nil
  }

  private mutating func end(_ name: String) -> XMLEvent {
    open.removeLast()
    isDone = open.isEmpty
    return .end(name: name)
  }

  private mutating func start() throws(DataError) -> XMLEvent {
    guard !isDone else { throw refuse("one element at the outside", "another") }
    position += 1
    let name = try name()
    guard open.count < Self.maximumDepth else {
      throw refuse("at most \(Self.maximumDepth) elements inside each other", "more")
    }
    var attributes: [String: String] = [:]
    while true {
      let before = position
      skipSpace()
      if starts(with: "/>") {
        position += 2
        pendingEnd = name
        break
      }
      if starts(with: ">") {
        position += 1
        break
      }
      guard position > before else { throw refuse("> or white space", peek(0..<1)) }
      let key = try self.name()
      skipSpace()
      try expect("=")
      skipSpace()
      let value = try attributeValue()
      guard attributes.updateValue(value, forKey: key) == nil else {
        throw refuse("each attribute once", "\(key) again")
      }
      guard attributes.count <= Self.maximumAttributes else {
        throw refuse("at most \(Self.maximumAttributes) attributes", "more")
      }
    }
    open.append(name)
    return .start(name: name, attributes: attributes)
  }

  private mutating func attributeValue() throws(DataError) -> String {
    let quote = position < bytes.count ? bytes[position] : 0
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      throw refuse("a value in quotes", peek(0..<1))
    }
    let first = position + 1
    position = first
    while position < bytes.count, bytes[position] != quote {
      guard bytes[position] != UInt8(ascii: "<") else { throw refuse("a closing quote", "<") }
      position += 1
    }
    guard position < bytes.count else { throw refuse("a closing quote", "the end of the file") }
    let value = try string(first..<position, resolvingEntities: true)
    position += 1
    return value
  }

  private mutating func text() throws(DataError) -> String {
    var first = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") { position += 1 }
    var last = position
    while first < last, Self.isSpace(bytes[first]) { first += 1 }
    while first < last, Self.isSpace(bytes[last - 1]) { last -= 1 }
    return try string(first..<last, resolvingEntities: true)
  }

  private func string(_ range: Range<Int>, resolvingEntities: Bool = false) throws(DataError) -> String {
    var content = Array(bytes[range])
    if resolvingEntities, content.contains(UInt8(ascii: "&")) { content = try resolved(content) }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw refuse("UTF-8", "another encoding")
    }
    return text
  }

  private func resolved(_ content: [UInt8]) throws(DataError) -> [UInt8] {
    var (result, index) = ([UInt8](), 0)
    while index < content.count {
      guard content[index] == UInt8(ascii: "&") else {
        result.append(content[index])
        index += 1
        continue
      }
      let rest = content[(index + 1)...].prefix(12)
      guard let last = rest.firstIndex(of: UInt8(ascii: ";")) else { throw refuse("an entity", "& alone") }
      let name = String(decoding: rest[..<last], as: UTF8.self)
      guard let character = Self.character(name) else {
        throw refuse("one of &lt; &gt; &amp; &quot; &apos; and numbers of characters", "&\(name);")
      }
      result += Array(String(character).utf8)
      index = last + 1
    }
    return result
  }

  private static func character(_ name: String) -> Unicode.Scalar? {
    switch name {
    case "lt": "<"
    case "gt": ">"
    case "amp": "&"
    case "quot": "\""
    case "apos": "'"
    case _ where name.hasPrefix("#x"): UInt32(name.dropFirst(2), radix: 16).flatMap(Self.scalar)
    case _ where name.hasPrefix("#"): UInt32(name.dropFirst()).flatMap(Self.scalar)
    default: nil
    }
  }

  private static func scalar(_ code: UInt32) -> Unicode.Scalar? { code == 0 ? nil : Unicode.Scalar(code) }

  private mutating func name() throws(DataError) -> String {
    let first = position
    while position < bytes.count, !Self.isSpace(bytes[position]), !"<>/=&\"'".utf8.contains(bytes[position]) {
      position += 1
    }
    guard position > first, position - first <= 256 else { throw refuse("a name", peek(0..<1)) }
    return try string(first..<position)
  }

  private mutating func expect(_ text: String) throws(DataError) {
    guard starts(with: text) else { throw refuse(text, peek(0..<1)) }
    position += text.utf8.count
  }

  private mutating func skipSpace() {
    while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
  }

  private mutating func skip(past text: String) throws(DataError) {
    while position < bytes.count {
      if starts(with: text) {
        position += text.utf8.count
        return
      }
      position += 1
    }
    throw refuse(text, "the end of the file")
  }

  private func starts(with text: String) -> Bool {
    bytes.count - position >= text.utf8.count && bytes[position...].starts(with: text.utf8)
  }

  private func peek(_ range: Range<Int>) -> String {
    let rest = bytes.dropFirst(position + range.lowerBound).prefix(range.count)
    return rest.isEmpty ? "the end of the file" : String(decoding: rest, as: UTF8.self)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...10).contains(byte) || byte == 13 }

  private func refuse(_ expected: String, _ found: String) -> DataError {
    DataError(.malformed, file: file, item: "line \(line)", expected: expected, found: found)
  }
}

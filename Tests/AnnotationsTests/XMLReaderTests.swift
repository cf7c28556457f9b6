import Base
import Testing

@testable import Annotations

@Suite struct XMLReaderTests {
  private func events(_ bytes: [UInt8]) throws -> [XMLEvent] {
    try bytes.withUnsafeBytes { bytes in
      var reader = XMLReader(bytes, file: "f.xml")
      var events: [XMLEvent] = []
      while let event = try reader.next() { events.append(event) }
      return events
    }
  }

  @Test func elementsAttributesAndText() throws {
    let text = """
      \u{FEFF}<?xml version="1.0" encoding="utf-8"?>
      <!-- <not> an element -->
      <a x = '1' y="2 &lt; &#x33; &amp;amp; &#233;&quot;&apos;&gt;">
        <b/>more &amp; é
        <![CDATA[<c> & ]]>
      </a >
      <!-- the end -->

      """
    #expect(
      try events(Array(text.utf8)) == [
        .start(name: "a", attributes: ["x": "1", "y": "2 < 3 &amp; é\"'>"]),
        .start(name: "b", attributes: [:]), .end(name: "b"), .text("more & é"), .text("<c> & "),
        .end(name: "a"),
      ])
  }

  static let damaged = [
    "", " ", "text", "<", "<a", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>text", "text<a/>", "<a x/>",
    "<a x=1/>", "<a x=\"1/>", "<a x=\"<\"/>", "<a x='1' x='2'/>", "<a x='1'y='2'/>", "<a>&b;</a>",
    "<a>&lt</a>",
    "<a>&</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#99999999;</a>", "<a x='&b;'/>", "<!-- a",
    "<a><!-- </a>",
    "<?xml", "<a><![CDATA[ </a>", "<![CDATA[x]]><a/>", "< a/>", "<a / >",
  ]

  @Test(arguments: damaged)
  func damagedFilesAreRefusedNamingTheLine(text: String) {
    let error = #expect(throws: DataError.self) { try events(Array("\n\n\(text)".utf8)) }
    #expect(error?.kind == .malformed && error?.file == "f.xml" && error?.item == "line 3")
  }

  @Test func otherEncodingsAreRefused() {
    for bytes in [[0x3C, 0x61, 0x3E, 0xE9, 0x3C, 0x2F, 0x61, 0x3E], [0xFF, 0xFE, 0x3C, 0, 0x61, 0]]
      as [[UInt8]]
    {
      #expect(throws: DataError.self) { try events(bytes) }
    }
  }

  /// "Billion laughs", and a file of somebody else's.
  @Test(arguments: [
    #"<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a>&y;</a>"#,
    #"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#, "<!doctype html><html/>",
  ])
  func documentTypesAreRefused(text: String) {
    let error = #expect(throws: DataError.self) { try events(Array(text.utf8)) }
    #expect(error?.kind == .unsupported && error?.item == "line 1")
  }

  @Test func depthAndAttributesAreBounded() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)).utf8)
    }
    #expect(try events(nested(XMLReader.maximumDepth)).count == 2 * XMLReader.maximumDepth)
    for depth in [XMLReader.maximumDepth + 1, 1_000_000] {
      #expect(throws: DataError.self) { try events(nested(depth)) }
    }
    func wide(_ count: Int) -> [UInt8] {
      Array(("<a" + (0..<count).map { " a\($0)='1'" }.joined() + "/>").utf8)
    }
    #expect(try events(wide(XMLReader.maximumAttributes)).count == 2)
    #expect(throws: DataError.self) { try events(wide(XMLReader.maximumAttributes + 1)) }
  }
}

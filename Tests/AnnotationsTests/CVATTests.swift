import Annotations
import Base
import Images
import TestSupport
import Testing

@Suite struct CVATTests {
  static let labels = ShapeLabels(names: ["background", "cell", "dust"])

  private static func file(_ shapes: String, image: String = #"name="x.png" width="6" height="4""#) -> String
  {
    """
    <?xml version="1.0" encoding="utf-8"?>
    <annotations>
      <version>1.1</version>
      <meta>
        <job>
          <id>3</id><name>a job, not a label</name>
          <labels>
            <label><name>cell</name><color>#ff0000</color><type>any</type><attributes></attributes></label>
            <label><name>dust &amp; dirt</name><type>mask</type></label>
            <label><name>way</name><type>polyline</type></label>
            <label><name>person</name><type>skeleton</type></label>
            <label><name>nose</name><type>points</type><parent>person</parent></label>
            <label><name>eye</name><parent>person</parent></label>
          </labels>
        </job>
      </meta>
      <image id="0" \(image)>\(shapes)</image>
    </annotations>
    """
  }

  private func read(_ text: String, notices: Notices = Notices()) throws -> CVATFile {
    let folder = try TemporaryFolder()
    return try CVATFile(contentsOf: try folder.file("annotations.xml", text.utf8), notices: notices)
  }

  private func rows(_ shapes: String, image: String = #"name="x.png" width="6" height="4""#) throws
    -> [String]
  {
    let picture = try #require(try read(Self.file(shapes, image: image)).pictures.first)
    let (width, height) = (try #require(picture.width), try #require(picture.height))
    let mask = try picture.mask(Self.labels, width: width, height: height, file: "f")
    return (0..<height).map { row in
      mask.labels[row * width..<(row + 1) * width].map { "\($0)" }.joined()
    }
  }

  @Test func shapesOfEveryKind() throws {
    let box = #"<box label="cell" xtl="1.00" ytl="1.00" xbr="3.00" ybr="3.00"/>"#
    #expect(try rows(box) == ["000000", "011000", "011000", "000000"])
    let turned = #"<box label="cell" xtl="0" ytl="1" xbr="6" ybr="3" rotation="90.0" />"#
    #expect(try rows(turned) == ["001100", "001100", "001100", "001100"])
    // Clockwise: the right end goes down.
    let slanting = #"<box label="cell" xtl="0" ytl="1.5" xbr="6" ybr="2.5" rotation="22.5"/>"#
    #expect(try rows(slanting) == ["100000", "111000", "000111", "000001"])
    let polygon =
      #"<polygon label="cell" points="0,0;4.00,0.00; 4,2 ;0,2" source="manual" occluded="0"></polygon>"#
    #expect(try rows(polygon) == ["111100", "111100", "000000", "000000"])
    let ellipse = #"<ellipse label="cell" cx="3" cy="2" rx="2.5" ry="1"/>"#
    #expect(try rows(ellipse) == ["000000", "011110", "011110", "000000"])
    let upright = #"<ellipse label="cell" cx="3" cy="2" rx="2" ry="1" rotation="90"/>"#
    #expect(try rows(upright) == ["001100", "001100", "001100", "001100"])
    // Row by row within its rectangle, outside first.
    let mask = #"<mask label="cell" rle="1, 3, 2, 2" left="2" top="1" width="4" height="2" z_order="0"/>"#
    #expect(try rows(mask) == ["000000", "000111", "000011", "000000"])
    let first = #"<mask label="cell" rle="0,1,3,1,1" left="0" top="0" width="3" height="2"/>"#
    #expect(try rows(first) == ["100000", "010000", "000000", "000000"])
  }

  @Test func whatLiesOutsideIsCutOff() throws {
    let notices = Notices()
    let text = #"<mask label="cell" rle="0, 9" left="-1" top="-2" width="3" height="3"/>"#
    #expect(try rows(text) == ["110000", "000000", "000000", "000000"])
    let beyond = #"<mask label="cell" rle="0, 9" left="5" top="3" width="3" height="3"/>"#
    #expect(try rows(beyond) == ["000000", "000000", "000000", "000001"])
    let picture = try read(Self.file(beyond)).pictures[0]
    _ = try picture.mask(Self.labels, width: 6, height: 4, file: "f", notices: notices)
    #expect(notices.all.map(\.text) == ["1 shapes reach beyond the picture and are cut off there"])
  }

  @Test func laterOnesLieAboveInTheirOrder() throws {
    func box(_ label: String, _ order: String) -> String {
      "<box label='\(label)' xtl='0' ytl='0' xbr='1' ybr='1'\(order)/>"
    }
    let (below, above) = (box("cell", ""), box("dust", " z_order='0'"))
    #expect(try rows(below + above)[0] == "200000")
    #expect(try rows(above + below)[0] == "100000")
    #expect(try rows(box("cell", " z_order='1'") + above)[0] == "100000")
    #expect(try rows(below + box("dust", " z_order='-1'"))[0] == "100000")
  }

  @Test func whatHasNoAreaIsLeftOutAndCounted() throws {
    let shapes = """
      <polyline label="way" points="0,0;1,1"><attribute name="points">x</attribute></polyline>
      <points label="cell" points="0,0"/><points label="cell" points="1,0"/><tag label="cell"/>
      <skeleton label="person" z_order="0"><points label="nose" points="1,1"/></skeleton>
      <box label="cell" xtl="0" ytl="0" xbr="1" ybr="1"/>
      """
    let notices = Notices()
    let found = try read(Self.file(shapes), notices: notices)
    #expect(found.categories == ["cell", "dust & dirt"])
    #expect(found.pictures[0].shapes.count == 1)
    #expect(notices.all.map(\.item) == ["points", "polyline", "skeleton", "tag"])
    #expect(notices.all[0].text.hasSuffix("found 2 shapes of another kind"))
    #expect(notices.all.allSatisfy { $0.kind == .leftOut })
    #expect(throws: DataError.self) { try read(Self.file(shapes), notices: Notices(isStrict: true)) }
  }

  @Test func withoutAListTheClassesAreThoseOfTheShapes() throws {
    let text = """
      <annotations><image name="a" width="2" height="1" subset="train"><box label="b" xtl="0" ytl="0" xbr="1" ybr="1"/>
      <box label="a" xtl="0" ytl="0" xbr="1" ybr="1"/></image><image name="b" width="3" height="1"/></annotations>
      """
    let found = try read(text)
    #expect(found.categories == ["b", "a"])
    #expect(found.pictures.map(\.name) == ["a", "b"] && found.pictures.map(\.width) == [2, 3])
    #expect(found.subsets == ["train", nil])
  }

  static let hostile: [(shapes: String, item: String)] = [
    ("<box label='a' xtl='0' ytl='0' xbr='1'/>", "image[0].box[0].ybr"),
    ("<box label='a' xtl='0' ytl='0' xbr='nan' ybr='1'/>", "image[0].box[0].xbr"),
    ("<box label='a' xtl='0' ytl='0' xbr='1e300' ybr='1'/>", "image[0].box[0]"),
    ("<box label='a' xtl='0' ytl='0' xbr='1' ybr='1' rotation='inf'/>", "image[0].box[0].rotation"),
    ("<box xtl='0' ytl='0' xbr='1' ybr='1'/>", "image[0].box[0].label"),
    ("<box label='a' xtl='0' ytl='0' xbr='1' ybr='1' z_order='x'/>", "image[0].box[0].z_order"),
    ("<ellipse label='a' cx='0' cy='0' rx='one' ry='1'/>", "image[0].ellipse[0].rx"),
    ("<polygon label='a'/>", "image[0].polygon[0].points"),
    ("<polygon label='a' points='0,0;1,1'/>", "image[0].polygon[0]"),
    ("<polygon label='a' points='0,0;1;1,1'/>", "image[0].polygon[0].points"),
    ("<polygon label='a' points='0,0;1,2,3;1,1'/>", "image[0].polygon[0].points"),
    ("<polygon label='a' points='0,0;a,b;1,1'/>", "image[0].polygon[0].points"),
    ("<polygon label='a' points='0,0;nan,0;1,1'/>", "image[0].polygon[0]"),
    ("<mask label='a' rle='4' left='0' top='0' width='2'/>", "image[0].mask[0].height"),
    ("<mask label='a' rle='1, x' left='0' top='0' width='2' height='2'/>", "image[0].mask[0].rle"),
    ("<mask label='a' rle='' left='0' top='0' width='2' height='2'/>", "image[0].mask[0].rle"),
    ("<mask label='a' rle='1, 2' left='0' top='0' width='2' height='2'/>", "image[0].mask[0]"),
    ("<mask label='a' rle='1, 4' left='0' top='0' width='2' height='2'/>", "image[0].mask[0]"),
    ("<mask label='a' rle='-1, 5' left='0' top='0' width='2' height='2'/>", "image[0].mask[0]"),
    (
      "<mask label='a' rle='9223372036854775807, 9223372036854775807' left='0' top='0' width='2' height='2'/>",
      "image[0].mask[0]"
    ),
    (
      "<mask label='a' rle='0, 4' left='0' top='0' width='2147483648' height='2147483648'/>",
      "image[0].mask[0]"
    ),
    (
      "<mask label='a' rle='0, 4' left='9223372036854775807' top='0' width='2' height='2'/>",
      "image[0].mask[0]"
    ),
    ("<mask label='a' rle='0, 4' left='0.5' top='0' width='2' height='2'/>", "image[0].mask[0].left"),
  ]

  @Test(arguments: hostile)
  func shapesAreRefusedByName(shapes: String, item: String) throws {
    let error = #expect(throws: DataError.self) { try read(Self.file(shapes)) }
    #expect(error?.item == item && error?.isAboutContent == true)
  }

  @Test(arguments: [
    (#"name="x" width="6""#, "image[0].height"), (#"name="x" width="-6" height="4""#, "image[0]"),
    (#"width="6" height="4""#, "image[0].name"),
    (#"name="x" width="2147483648" height="2147483648""#, "image[0]"),
    (#"name="x" width="6.5" height="4""#, "image[0].width"),
  ])
  func picturesAreRefusedByName(image: String, item: String) throws {
    let error = #expect(throws: DataError.self) { try read(Self.file("", image: image)) }
    #expect(error?.item == item && error?.isAboutContent == true)
  }

  @Test func otherFilesAreNamed() throws {
    let video = "<annotations><track id='0' label='a'><box frame='0'/></track></annotations>"
    let error = #expect(throws: DataError.self) { try read(video) }
    #expect(error?.kind == .unsupported && error?.expected.contains("CVAT for images 1.1") == true)
    let voc = #expect(throws: DataError.self) { try read("<annotation><folder/></annotation>") }
    #expect(voc?.kind == .unsupported && voc?.found == "<annotation>")
  }

  @Test func aPatchIsAnAreaOfCOCO() throws {
    let text = Self.file(#"<mask label="cell" rle="1, 3, 2, 2" left="2" top="1" width="4" height="2"/>"#)
    let picture = try read(text).pictures[0]
    let folder = try TemporaryFolder()
    try COCOFile(categories: ["cell"], pictures: [picture]).write(to: folder.path("c.json"))
    let again = try COCOFile(contentsOf: folder.path("c.json")).pictures[0]
    let mask = try again.mask(Self.labels, width: 6, height: 4, file: "f")
    #expect(mask == (try picture.mask(Self.labels, width: 6, height: 4, file: "f")))
    #expect(mask.histogram[1] == 5)
  }

  /// By a pixel at each side.
  @Test(arguments: [(0, 0, false), (-1, 0, true), (0, -1, true), (1, 0, true), (0, 1, true)])
  func patchesBeyondTheBorderAreSaid(left: Int, top: Int, leaves: Bool) throws {
    let notices = Notices()
    let shape = #"<mask label="cell" rle="0, 24" left="\#(left)" top="\#(top)" width="6" height="4"/>"#
    let picture = try read(Self.file(shape)).pictures[0]
    _ = try picture.mask(Self.labels, width: 6, height: 4, file: "f", notices: notices)
    #expect(notices.all.isEmpty == !leaves)
    let box =
      "<box label='cell' xtl='\(left)' ytl='\(top)' xbr='\(left + 6)' ybr='\(top + 4)'/>"
    let (boxed, said) = (try read(Self.file(box)).pictures[0], Notices())
    _ = try boxed.mask(Self.labels, width: 6, height: 4, file: "f", notices: said)
    #expect(said.all.isEmpty == !leaves)
  }
}

import Base
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Data sets as CVAT exports them: XML, and masks with a list of colours.
struct CVATLayoutTests {
  let folder: TemporaryFolder
  let notices = Notices()

  init() throws { folder = try TemporaryFolder() }

  private func picture(_ path: String) throws {
    _ = try folder.folder((path as NSString).deletingLastPathComponent)
    try Image(width: 4, height: 2).write(to: folder.path(path))
  }

  private func xml(_ images: String) -> String {
    """
    <annotations><version>1.1</version><meta><task><labels><label><name>cell</name></label><label><name>dust</name></label>
    </labels></task></meta>\(images)</annotations>
    """
  }

  private func image(_ name: String, _ more: String = "") -> String {
    """
    <image name="\(name)" width="4" height="2"\(more)>
    <box label="dust" xtl="0" ytl="0" xbr="2" ybr="1"/></image>
    """
  }

  @Test func picturesLieWhereCVATPutsThem() throws {
    for path in ["d/a.png", "d/images/b.png", "d/images/train/c.png", "d/images/test/c.png", "d/lone.png"] {
      try picture(path)
    }
    let images =
      image("a.png") + image("b.png") + image("c.png", " subset='train'") + image("c.png", " subset='test'")
      + image("missing.png") + "<image name='images/b.png' width='4' height='2'/>"
    let text = xml(images.replacing("<image name='images/b.png' width='4' height='2'/>", with: ""))
    _ = try folder.file("d/annotations.xml", text.utf8)
    let classes = try LabelledImages.classes(in: folder.path("d"), notices: notices)
    #expect(classes.names == ["background", "cell", "dust"])
    let found = try LabelledImages(directory: folder.path("d"), classes: classes, notices: notices)
    #expect(found.layout == .cvat)
    #expect(
      found.imagePaths
        == ["a.png", "images/b.png", "images/train/c.png", "images/test/c.png"].map { folder.path("d/\($0)") }
    )
    #expect(found.loneLabels == ["missing.png"])
    #expect(try found.load(2).mask.labels == [2, 2, 0, 0, 0, 0, 0, 0])
    // The same picture twice.
    _ = try folder.file("d/annotations.xml", xml(images).utf8)
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path("d"), classes: classes)
    }
    #expect(error?.item == "image[5].name")
    // Elsewhere, named.
    _ = try folder.file("e.xml", xml(image("images/b.png")).utf8)
    let elsewhere = try LabelledImages(
      directory: folder.path("d"), classes: classes, labels: folder.path("e.xml"))
    #expect(elsewhere.imagePaths == [folder.path("d/images/b.png")])
    // Two files that could be meant.
    _ = try folder.file("d/annotations.json", "{}".utf8)
    let both = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path("d"), classes: classes)
    }
    #expect(both?.kind == .invalidArgument && both?.found.contains("annotations.xml") == true)
  }

  @Test(arguments: [("../a.png", ""), ("/etc/passwd", ""), ("a.png", " subset='../..'"), ("", "")])
  func picturesOutsideTheFolderAreNotFollowed(name: String, subset: String) throws {
    try picture("a.png")
    try picture("d/x.png")
    let path = try folder.file("d/annotations.xml", xml(image(name, subset)).utf8)
    let error = #expect(throws: DataError.self) {
      try LabelledImages(directory: folder.path("d"), classes: ClassList(count: 3))
    }
    #expect(error?.file == path && error?.item == "image[0].name" && error?.kind == .malformed)
  }

  /// "Segmentation mask 1.1".
  @Test func aLabelMapGivesClassesAndColours() throws {
    try picture("d/JPEGImages/x.png")
    _ = try folder.folder("d/SegmentationClass")
    let map =
      "# label:color_rgb:parts:actions\nbackground:0,0,0::\n\ncell:250,50,83::\r\ndust:61,61,245:part:act\n"
    let path = try folder.file("d/labelmap.txt", map.utf8)
    let classes = try LabelledImages.classes(in: folder.path("d"), notices: notices)
    #expect(classes.names == ["background", "cell", "dust"])
    #expect(classes.palette.colors == [.black, RGB(250, 50, 83), RGB(61, 61, 245)])
    #expect(notices.all.map(\.file) == [path] && notices.all.map(\.kind) == [.guessed])
    #expect(try ClassList(contentsOf: path) == classes)
    let mask = LabelMask(width: 4, height: 2, labels: [0, 1, 2, 0, 1, 1, 2, 2])
    try Image(mask: mask, palette: classes.palette).write(to: folder.path("d/SegmentationClass/x.png"))
    let found = try LabelledImages(directory: folder.path("d"), classes: classes)
    #expect(found.layout == .pascalVOC)
    #expect(try found.load(0).mask == mask)
    // Exported without pictures: the folder above the masks.
    let apart = try LabelledImages(
      directory: folder.path("d/JPEGImages"), classes: classes, labels: folder.path("d"))
    #expect(try apart.load(0).mask == mask)
    for labels in ["d", "d/SegmentationClass"] {
      #expect(
        try LabelledImages.classes(in: folder.path("d/JPEGImages"), labels: folder.path(labels)) == classes)
    }
  }

  @Test func aClassWithoutAColourHasThatOfPascalVOC() throws {
    let path = try folder.file("labelmap.txt", "background\naeroplane:::\n".utf8)
    #expect(try ClassList(contentsOf: path).palette.colors == [.black, RGB(128, 0, 0)])
  }

  @Test(arguments: [
    ("a:0,0,0::\na:1,1,1::", "line 2"), ("a:0,0::", "line 1"), ("\n a:0,0,256::", "line 2"),
    (":0,0,0::", "line 1"),
    ("# only a comment", ""), ("", ""), ((0...255).map { "c\($0):::\n" }.joined(), "line 256"),
  ])
  func damagedLabelMapsAreRefused(text: String, item: String) throws {
    let path = try folder.file("labelmap.txt", text.utf8)
    let error = #expect(throws: DataError.self) { try ClassList(contentsOf: path) }
    #expect(error?.kind == .malformed && error?.item == item && error?.file == path)
  }
}

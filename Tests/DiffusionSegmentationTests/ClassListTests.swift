import Augment
import Base
import DiffusionSegmentation
import Images
import TestSupport
import Testing

struct ClassListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func readsNamesColoursAndIgnoreLabel() throws {
    let path = try folder.file(
      "classes.json",
      #"{"num_classes": 2, "ignore_label": 7, "classes": [{"id": 1, "name": "b", "color": [1, 2, 3]}, {"id": 0, "name": "a"}]}"#
        .utf8)
    let classes = try ClassList(contentsOf: path)
    #expect(classes.names == ["a", "b"] && classes.ignoreLabel == 7)
    #expect(classes.palette[1] == RGB(1, 2, 3) && classes.palette[0] == Palette.distinct(count: 2)[0])
  }

  @Test(arguments: [
    (#"[]"#, ""), (#"{"#, ""), (#"{"classes": 3}"#, "classes"), (#"{"classes": []}"#, "classes"),
    (#"{"classes": [{"id": 0}]}"#, "classes[0].name"),
    (#"{"classes": [{"id": 1, "name": "a"}]}"#, "classes[0].id"),
    (#"{"classes": [{"id": true, "name": "a"}]}"#, "classes[0].id"),
    (#"{"classes": [{"id": 0, "name": "a", "color": [1, 2]}]}"#, "classes[0].color"),
    (#"{"classes": [{"id": 0, "name": "a", "color": [1, 2, 256]}]}"#, "classes[0].color"),
    (#"{"classes": [{"id": 0, "name": "a"}], "ignore_label": 256}"#, "ignore_label"),
    (#"{"classes": [{"id": 0, "name": "a"}], "num_classes": 3}"#, "num_classes"),
    (#"{"classes": [{"id": 0, "name": "a"}], "flip_pairs": [["a"]]}"#, "flip_pairs"),
    (#"{"classes": [{"id": 0, "name": "a"}], "flip_pairs": [["a", "left ear"]]}"#, "flip_pairs"),
    (#"{"classes": [{"id": 0, "name": "a"}], "flip_pairs": [["a", "a"]]}"#, "flip_pairs"),
    (#"{"classes": [{"id": 0, "name": "a"}], "flip_pairs": "a"}"#, "flip_pairs"),
  ])
  func wrongEntryIsNamed(_ text: String, item: String) throws {
    let path = try folder.file("classes.json", text.utf8)
    let error = #expect(throws: DataError.self) { try ClassList(contentsOf: path) }
    #expect(error?.file == path && error?.item == item && error?.isAboutContent == true)
  }

  @Test func comesBackFromAFile() throws {
    let folder = try TemporaryFolder()
    let classes = ClassList(
      names: ["sky \"blue\"", "tree"], palette: Palette(colors: [RGB(1, 2, 255), RGB(9, 8, 7)]),
      ignoreLabel: 250, flipPairs: ClassPairs([(1, 0)]))
    try classes.write(to: folder.path("classes.json"))
    #expect(try ClassList(contentsOf: folder.path("classes.json")) == classes)
  }
}

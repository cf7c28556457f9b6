import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Labels from arrays of all types.
struct MaskReadingTests {
  let folder: TemporaryFolder
  let classes = ClassList(count: 3)

  init() throws { folder = try TemporaryFolder() }

  private func read(_ array: NumericArray, classes: ClassList? = nil, notices: Notices = Notices()) throws
    -> LabelMask
  {
    let path = folder.path("x.npy")
    try NpyFile.write(array, to: path)
    return try LabelMask(contentsOf: path, classes: classes ?? self.classes, notices: notices)
  }

  @Test func wholeNumbersOfAnyTypeAreLabels() throws {
    let expected: [UInt8] = [0, 1, 2, 255]
    let shape = [2, 2]
    #expect(try read(NumericArray([Int64](arrayLiteral: 0, 1, 2, 255), shape: shape)).labels == expected)
    #expect(try read(NumericArray([Float](arrayLiteral: 0, 1, 2, 255), shape: shape)).labels == expected)
    #expect(try read(NumericArray([Double](arrayLiteral: -0.0, 1, 2, 255), shape: shape)).labels == expected)
    #expect(try read(NumericArray(expected, shape: shape)).labels == expected)
  }

  @Test(arguments: [[2, 2, 1], [1, 2, 2]])
  func aDimensionOfOneIsNone(_ shape: [Int]) throws {
    let mask = try read(NumericArray([UInt8](arrayLiteral: 0, 1, 2, 0), shape: shape))
    #expect(mask.width == 2 && mask.height == 2)
  }

  @Test(arguments: [UInt8(255), 7])
  func minusOneIsToIgnore(_ ignored: UInt8) throws {
    let notices = Notices()
    let mask = try read(
      NumericArray([Int64](arrayLiteral: -1, 0), shape: [1, 2]), classes: classes.ignoring(ignored),
      notices: notices)
    #expect(mask.labels == [ignored, 0])
    #expect(notices.all.map(\.kind) == [.guessed])
  }

  @Test(arguments: [256, 257, 65535, -2, -255, -256, 1 << 40, 3, 254, .max, .min] as [Int64])
  func numbersThatAreNoClassAreRefused(_ value: Int64) throws {
    let error = #expect(throws: DataError.self) {
      try read(NumericArray([0, 0, value, 0, 0, 0], shape: [2, 3]))
    }
    #expect(error?.item == "label at row 0, column 2" && error?.isAboutContent == true)
    // Beyond 2^53 doubles have gaps.
    if abs(Double(value)) < 1e15 { #expect(error?.found == "\(value)") }
  }

  @Test(arguments: [0.5, .nan, .infinity, -.infinity, 1e300, 1.0000001, -0.25])
  func numbersThatAreNotWholeAreRefused(_ value: Double) throws {
    let error = #expect(throws: DataError.self) { try read(NumericArray([0, value], shape: [2, 1])) }
    #expect(error?.item == "label at row 1, column 0" && error?.kind == .malformed)
  }

  @Test func coloursOfTheClassesAreLabels() throws {
    let palette = classes.palette
    var image = Image(width: 2, height: 2, color: palette.colors[2])
    image[0, 1] = palette.colors[1]
    try image.write(to: folder.path("x.mask.png"))
    let mask = try LabelMask(contentsOf: folder.path("x.mask.png"), classes: classes)
    #expect(mask.labels == [2, 2, 1, 2])
    image[1, 1] = RGB(1, 2, 3)
    try image.write(to: folder.path("x.mask.png"))
    let error = #expect(throws: DataError.self) {
      try LabelMask(contentsOf: folder.path("x.mask.png"), classes: classes)
    }
    #expect(error?.isAboutContent == true)
  }

  @Test func valuesThatStandForClasses() throws {
    let binary = try ClassList(count: 2).stored(as: [0, 255])
    let array = NumericArray([UInt8](arrayLiteral: 0, 255, 255, 0), shape: [2, 2])
    #expect(try read(array, classes: binary).labels == [0, 1, 1, 0])
    let error = #expect(throws: DataError.self) {
      try read(NumericArray([UInt8](arrayLiteral: 0, 1), shape: [1, 2]), classes: binary)
    }
    #expect(error?.expected.contains("0, 255") == true && error?.item == "label at row 0, column 1")
    let swapped = try ClassList(count: 2, ignoreLabel: 7).stored(as: [1, 0])
    #expect(
      try read(NumericArray([Int64](arrayLiteral: 0, 1, 7, -1), shape: [2, 2]), classes: swapped).labels
        == [1, 0, 7, 7])
    for values: [UInt8] in [[0], [0, 0], [0, 1, 2]] {
      #expect(throws: DataError.self) { try ClassList(count: 2).stored(as: values) }
    }
  }

  @Test func theListOfClassesCanNameTheValues() throws {
    let path = try folder.file(
      "classes.json",
      #"{"classes": [{"id": 0, "name": "ground"}, {"id": 1, "name": "cell", "value": 255}]}"#.utf8)
    let list = try ClassList(contentsOf: path)
    #expect(list.maskValues == [0, 255])
    try list.write(to: folder.path("again.json"))
    #expect(try ClassList(contentsOf: folder.path("again.json")) == list)
    let double = try folder.file(
      "double.json", #"{"classes": [{"id": 0, "name": "a"}, {"id": 1, "name": "b", "value": 0}]}"#.utf8)
    #expect(throws: DataError.self) { try ClassList(contentsOf: double) }
  }
}

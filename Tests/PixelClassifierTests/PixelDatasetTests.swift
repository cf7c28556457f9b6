import Base
import PixelClassifier
import Testing

@Suite("Training set of pixels")
struct PixelDatasetTests {
  private func picture(_ labels: [UInt8], seed: UInt64, name: String = "a.png") -> LabelledFeatures {
    LabelledFeatures(
      name: name, features: randomFeatures(height: 3, width: 4, maps: [[5, 2, 2], [3, 3, 4]], seed: seed),
      labels: labels)
  }

  @Test("rows are the labelled pixels, picture by picture and row by row")
  func order() throws {
    let a = picture([9, 0, 1, 9, 9, 2, 9, 9, 9, 9, 9, 1], seed: 1)
    let b = picture([2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 9], seed: 2)
    let dataset = try PixelDataset([a, b], classCount: 3, ignoreLabel: 9, smallestAnnotation: 0)
    #expect(dataset.targets == [0, 1, 2, 1, 2, 0])
    #expect(dataset.count == 6 && dataset.featureCount == 16)
    let rows = dataset.features(ofRows: [0, 1, 2, 3, 4, 5])
    let (fromA, fromB) = (a.features.vectors(at: [1, 2, 5, 11]), b.features.vectors(at: [0, 10]))
    for row in 0..<4 { #expect(rows.slice(row) == fromA.slice(row)) }
    for row in 0..<2 { #expect(rows.slice(4 + row) == fromB.slice(row)) }
    let again = dataset.features(ofRows: [5, 0])
    #expect(again.slice(0) == fromB.slice(1) && again.slice(1) == fromA.slice(0))
  }

  @Test("an ignore label that is one of the classes is left out too")
  func ignoredClass() throws {
    let labels: [UInt8] = [0, 0, 1, 1, 0, 2, 0, 0, 0, 0, 0, 0]
    let dataset = try PixelDataset(
      [picture(labels, seed: 1)], classCount: 3, ignoreLabel: 0, smallestAnnotation: 0)
    #expect(dataset.targets == [1, 1, 2])
  }

  @Test("a class with too few pixels in a picture is left out there, and only there")
  func smallAnnotations() throws {
    let a = picture([0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9], seed: 1)
    let b = picture([1, 1, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9], seed: 2)
    let dataset = try PixelDataset([a, b], classCount: 2, ignoreLabel: 9, smallestAnnotation: 2)
    #expect(dataset.targets == [0, 0, 0, 1, 1])
  }

  @Test("twenty pixels are enough, nineteen are not, and other labels stay")
  func smallAnnotationRule() {
    let labels = [UInt8](repeating: 0, count: 20) + [UInt8](repeating: 1, count: 19) + [7, 255]
    let kept = droppingSmallAnnotations(labels, classCount: 3, ignoreLabel: 255)
    #expect(kept == [UInt8](repeating: 0, count: 20) + [UInt8](repeating: 255, count: 19) + [7, 255])
  }

  @Test("the rule is the reference's", arguments: [("small_255", UInt8(255)), ("small_ignore0", 0)])
  func reference(id: String, ignoreLabel: UInt8) throws {
    let found = droppingSmallAnnotations(
      try Golden.labels("\(id)/in/label"), classCount: 12, ignoreLabel: ignoreLabel)
    #expect(found == (try Golden.labels("\(id)/out/label")))
  }

  @Test("a label that is no class is named with its place")
  func strangeLabel() {
    var labels = [UInt8](repeating: 1, count: 12)
    labels[6] = 3
    let error = #expect(throws: DataError.self) {
      try PixelDataset([picture(labels, seed: 1, name: "horse.png")], classCount: 3, ignoreLabel: 9)
    }
    #expect(error?.file == "horse.png" && error?.item == "label at row 1, column 2" && error?.found == "3")
  }

  @Test("labels of another size, vectors of another length and pictures without labels are refused")
  func refused() {
    let labels = [UInt8](repeating: 1, count: 12)
    let other = LabelledFeatures(
      name: "b.png", features: randomFeatures(height: 3, width: 4, maps: [[5, 2, 2]]), labels: labels)
    #expect(throws: DataError.self) {
      try PixelDataset([picture([1, 1], seed: 1)], classCount: 3, ignoreLabel: 9)
    }
    let error = #expect(throws: DataError.self) {
      try PixelDataset([picture(labels, seed: 1), other], classCount: 3, ignoreLabel: 9)
    }
    #expect(error?.file == "b.png")
    let unlabelled = picture([UInt8](repeating: 9, count: 12), seed: 1)
    #expect(throws: DataError.self) { try PixelDataset([unlabelled], classCount: 3, ignoreLabel: 9) }
    #expect(throws: DataError.self) { try PixelDataset([], classCount: 3, ignoreLabel: 9) }
    #expect(throws: DataError.self) {
      try PixelDataset([picture(labels, seed: 1)], classCount: 0, ignoreLabel: 9)
    }
    #expect(throws: DataError.self) {
      try PixelDataset([picture(labels, seed: 1)], classCount: 257, ignoreLabel: 9)
    }
  }
}

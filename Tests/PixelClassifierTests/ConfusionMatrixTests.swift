import PixelClassifier
import Testing

@Suite("Confusion matrix")
struct ConfusionMatrixTests {
  /// Truth 0 0 0 1 1 2 and two ignored pixels; class 3 is nowhere.
  private func sample() -> ConfusionMatrix {
    var matrix = ConfusionMatrix(classCount: 4, ignoreLabel: 255)
    matrix.add(truth: [0, 0, 0, 1, 1, 2, 255, 255], prediction: [0, 0, 1, 1, 2, 2, 0, 2])
    return matrix
  }

  @Test("counts which class was taken for which")
  func counts() {
    let matrix = sample()
    #expect(matrix[truth: 0, prediction: 0] == 2 && matrix[truth: 0, prediction: 1] == 1)
    #expect(matrix[truth: 4, prediction: 2] == 1 && matrix[truth: 3, prediction: 3] == 0)
  }

  @Test("the published definition lets ignored pixels enlarge unions and absent classes score zero")
  func published() {
    let matrix = sample()
    #expect(matrix.intersections(.ledm) == [2, 1, 1, 0])
    #expect(matrix.unions(.ledm) == [4, 3, 3, 0])
    let iou = matrix.iou(.ledm)
    #expect(abs(iou[0] - 0.5) < 1e-8 && abs(iou[1] - 1 / 3) < 1e-8 && iou[3] == 0)
    #expect(abs(matrix.meanIoU(.ledm) - (0.5 + 2.0 / 3) / 4) < 1e-8)
  }

  @Test("the standard definition leaves out ignored pixels and absent classes")
  func standard() {
    let matrix = sample()
    #expect(matrix.unions(.standard) == [3, 3, 2, 0])
    #expect(matrix.scoredClasses(.standard) == [0, 1, 2])
    #expect(abs(matrix.meanIoU(.standard) - (2.0 / 3 + 1.0 / 3 + 1.0 / 2) / 3) < 1e-12)
    #expect(matrix.dice.map { ($0 * 1e6).rounded() } == [800_000, 500_000, 666_667, 0])
    #expect(abs(matrix.meanDice - (0.8 + 0.5 + 2.0 / 3) / 3) < 1e-12)
    #expect(abs(matrix.pixelAccuracy - 4.0 / 6) < 1e-12)
  }

  @Test("an ignored class has counts but no score")
  func ignoredClass() {
    var matrix = ConfusionMatrix(classCount: 3, ignoreLabel: 0)
    matrix.add(truth: [0, 0, 1, 1, 2], prediction: [0, 1, 1, 0, 2])
    #expect(matrix.intersections(.ledm) == [1, 1, 1])
    #expect(matrix.unions(.ledm) == [3, 3, 1])
    #expect(matrix.scoredClasses(.ledm) == [1, 2])
    #expect(abs(matrix.meanIoU(.ledm) - (1.0 / 3 + 1) / 2) < 1e-8)
    // The pixel of class 1 that was taken for the ignored class is an error all the same.
    #expect(matrix.unions(.standard) == [1, 2, 1])
    #expect(matrix.meanIoU(.standard) == 0.75)
    #expect(abs(matrix.pixelAccuracy - 2.0 / 3) < 1e-12)
  }

  @Test("labels that are no class agree with nothing")
  func strangeLabels() {
    var matrix = ConfusionMatrix(classCount: 2, ignoreLabel: 255)
    matrix.add(truth: [7, 0, 1], prediction: [7, 9, 1])
    #expect(matrix.intersections(.ledm) == [0, 1])
    #expect(matrix.unions(.standard) == [1, 1])
    #expect(matrix.pixelAccuracy == 0.5)
  }

  @Test("nothing counted scores zero everywhere")
  func empty() {
    let matrix = ConfusionMatrix(classCount: 2, ignoreLabel: 255)
    #expect(matrix.meanIoU(.ledm) == 0 && matrix.meanIoU(.standard) == 0)
    #expect(matrix.meanDice == 0 && matrix.pixelAccuracy == 0)
  }

  @Test("256 classes fit")
  func allLabels() {
    var matrix = ConfusionMatrix(classCount: 256, ignoreLabel: 255)
    matrix.add(truth: [255, 254], prediction: [255, 254])
    #expect(matrix.meanIoU(.standard) == 1)
  }

  @Test("pictures can be counted together or one by one")
  func sums() {
    var together = ConfusionMatrix(classCount: 3, ignoreLabel: 255)
    together.add(truth: [0, 1, 2, 2], prediction: [0, 1, 1, 255])
    var (first, second) = (
      ConfusionMatrix(classCount: 3, ignoreLabel: 255), ConfusionMatrix(classCount: 3, ignoreLabel: 255)
    )
    first.add(truth: [0, 1], prediction: [0, 1])
    second.add(truth: [2, 2], prediction: [1, 255])
    first += second
    #expect(first == together)
  }

  @Test(
    "agrees with the reference",
    arguments: [("iou_255", 15, UInt8(255)), ("iou_ignore0", 29, 0), ("iou_absent", 15, 255)])
  func reference(id: String, classes: Int, ignoreLabel: UInt8) throws {
    var matrix = ConfusionMatrix(classCount: classes, ignoreLabel: ignoreLabel)
    matrix.add(truth: try Golden.labels("\(id)/in/gts"), prediction: try Golden.labels("\(id)/in/preds"))
    #expect(matrix.intersections(.ledm) == (try Golden.ints("\(id)/out/intersections")))
    #expect(matrix.unions(.ledm) == (try Golden.ints("\(id)/out/unions")))
    let expected = try Golden.array("\(id)/out/iou_per_class").doubles()
    for (found, expected) in zip(matrix.iou(.ledm), expected) { #expect(abs(found - expected) < 1e-9) }
    #expect(abs(matrix.meanIoU(.ledm) - (try Golden.array("\(id)/out/miou").doubles()[0])) < 1e-9)
  }
}

import Annotations
import Images
import TestSupport
import Testing

@Suite struct ObjectTests {
  static let mask: LabelMask = {
    let rows = [
      "..##......##", ".####.....##", ".####..#....", ".#..#.###...", ".####.###..#", "..##...#..##",
      "#.........#.",
      ".#..####....", "..#.#..#####", "....####...",
    ]
    return LabelMask(width: 12, height: 10, labels: rows.joined().map { $0 == "#" ? 1 : 0 } + [0])
  }()

  /// `label(mask, connectivity=2)` and `regionprops` of scikit-image 0.25: area, centroid, box, perimeter.
  static let expected: [(Int, Double, Double, [Int], Double)] = [
    (18, 2.5, 2.4444444444444446, [1, 0, 4, 6], 16.82842712474619),
    (4, 10.5, 0.5, [10, 0, 2, 2], 4),
    (8, 7, 3.5, [6, 2, 3, 4], 7.65685424949238),
    (4, 10.5, 5, [10, 4, 2, 3], 4.414213562373095),
    (3, 1, 7, [0, 6, 3, 3], 1.4142135623730951),
    (14, 6.642857142857143, 8, [4, 7, 8, 3], 13),
  ]

  @Test func measuresAreThoseOfScikitImage() {
    let objects = Self.mask.objects(skipping: [0])
    #expect(objects.map(\.number) == [1, 2, 3, 4, 5, 6])
    for (object, (area, x, y, box, perimeter)) in zip(objects, Self.expected) {
      #expect(object.area == area)
      #expect(abs(object.centroid.x - x) < 1e-12 && abs(object.centroid.y - y) < 1e-12)
      #expect([object.box.x, object.box.y, object.box.width, object.box.height] == box)
      #expect(abs(object.perimeter - perimeter) < 1e-12)
    }
    #expect(abs(objects[0].equivalentDiameter - 4.787307364817192) < 1e-12)
    #expect(Self.mask.objects(skipping: [0], connectivity: .four).count == 8)
  }

  /// `pycocotools.mask.encode`.
  @Test func runLengthsAreThoseOfPycocotools() {
    let expected = "6143NM02OO1OO20O42MO5NJ021OOO013OO2O0O60H120NO01100OO"
    #expect(RunLengths(Self.mask, label: 1).compressed == expected)
  }

  @Test func uncertaintyIsTheMeanOverTheObject() {
    let mask = LabelMask(width: 3, height: 1, labels: [1, 1, 0])
    #expect(mask.objects(skipping: [0], uncertainty: [0.25, 0.75, 9]).map(\.uncertainty) == [0.5])
  }

  @Test func smallObjectsGo() {
    let cleaned = Self.mask.removingObjects(below: 8, background: 0)
    #expect(cleaned.objects(skipping: [0]).map(\.area) == [18, 8, 14])
  }

  @Test func holesAreFilledAndOpenPlacesStay() {
    let filled = Self.mask.fillingHoles(background: 0)
    #expect(filled.objects(skipping: [0]).map(\.area) == [20, 4, 8, 4, 3, 16])
    // Two labels around it: whose hole it is cannot be told.
    let between = LabelMask(width: 3, height: 3, labels: [1, 1, 1, 1, 0, 2, 1, 1, 1])
    #expect(between.fillingHoles(background: 0) == between)
  }

  /// Two pixels that touch at a corner, in both directions.
  @Test(arguments: [[1, 0, 0, 1], [0, 1, 1, 0]] as [[UInt8]])
  func cornersJoinEightNeighboursAlone(labels: [UInt8]) {
    let mask = LabelMask(width: 2, height: 2, labels: labels)
    #expect(mask.objects(skipping: [0]).map(\.area) == [2])
    #expect(mask.objects(skipping: [0], connectivity: .four).map(\.area) == [1, 1])
  }

  @Test func whatIsNoObjectStaysHoweverSmall() {
    let mask = LabelMask(width: 4, height: 1, labels: [1, 0, 255, 2])
    let cleaned = mask.removingObjects(below: 2, background: 0, keeping: [255, 2])
    #expect(cleaned.labels == [0, 0, 255, 2])
    #expect(mask.removingObjects(below: 1, background: 0) == mask)
  }

  /// A hole that is closed at its corners alone is one where corners join objects.
  @Test func holesAreByTheOtherRule() {
    let mask = LabelMask(width: 3, height: 3, labels: [0, 1, 0, 1, 0, 1, 0, 1, 0])
    #expect(mask.fillingHoles(background: 0).labels == [0, 1, 0, 1, 1, 1, 0, 1, 0])
    #expect(mask.fillingHoles(background: 0, connectivity: .four) == mask)
  }

  /// scikit-image: `perimeter(np.ones((3, 3)))`, of a picture without anything around.
  @Test func bordersOfThePictureAreBorders() {
    let objects = LabelMask(width: 3, height: 3, label: 1).objects(skipping: [0])
    #expect(objects.map(\.perimeter) == [8])
    let outlined = Image(width: 5, height: 5, color: .white).outlined(
      [], mask: LabelMask(width: 5, height: 5, label: 1), palette: Palette(colors: [.black, RGB(1, 2, 3)]),
      skipping: [0])
    // Enlarged so that there is room for numbers.
    let side = outlined.width
    #expect(side >= 1024 && side % 5 == 0 && outlined.height == side)
    for y in [0, 1, side / 2, side - 2, side - 1] {
      for x in [0, 1, side / 2, side - 2, side - 1] {
        let isInner = (1..<side - 1).contains(x) && (1..<side - 1).contains(y)
        #expect(outlined[x, y] == (isInner ? .white : RGB(1, 2, 3)))
      }
    }
  }

  @Test func whatIsSkippedHasNoOutline() {
    let mask = LabelMask(width: 4, height: 1, labels: [0, 1, 255, 0])
    let palette = Palette(colors: [RGB(9, 9, 9), RGB(1, 2, 3)])
    let outlined = Image(width: 4, height: 1, color: .white).outlined(
      [], mask: mask, palette: palette, skipping: [0, 255])
    #expect(outlined.width == 1024 && outlined.height == 256)
    #expect((0..<4).map { outlined[256 * $0, 0] } == [.white, RGB(1, 2, 3), .white, .white])
  }
}

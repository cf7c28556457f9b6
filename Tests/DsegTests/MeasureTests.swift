import Base
import Checkpoints
import DiffusionSegmentation
import Foundation
import Images
import TestSupport
import Testing

/// Objects of masks through the command line.
struct MeasureTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    var mask = LabelMask(width: 30, height: 20, label: 0)
    for y in 2..<18 { for x in 3..<19 where !(4..<6).contains(x) || y != 4 { mask[x, y] = 1 } }
    mask[22, 10] = 2
    try mask.write(to: folder.path("m.png"))
  }

  @Test func tableOutlinesAndCleaning() throws {
    let plain = try DsegProcess.run(["measure", folder.path("m.png"), "--pixel-size", "2"])
    #expect(plain.exitCode == 0)
    let lines = plain.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1].contains(",1,class 1,254,"))
    #expect(lines[1].contains(",1016,"))
    #expect(lines[2].contains(",2,class 2,1,22.000,10.000,22,10,1,1,"))
    let cleaned = try DsegProcess.run([
      "measure", folder.path("m.png"), "--fill-holes", "--minimum-area", "2", "--outlines",
      folder.path("out"),
    ])
    #expect(cleaned.output.split(separator: "\n").count == 2)
    #expect(cleaned.output.contains(",1,class 1,256,"))
    #expect(try folder.contents("out") == ["m.outlines.png"])
    let outlines = try Image(contentsOf: folder.path("out/m.outlines.png"))
    // Enlarged 35 times, so that numbers fit.
    #expect(outlines.width == 1050 && outlines.height == 700)
    #expect(outlines[3 * 35, 2 * 35] == Palette.distinct(count: 2)[1])
    #expect(outlines[22 * 35, 10 * 35] == .black)
    // The centre of the first object, and the white of its number.
    let middle = (360..<410).flatMap { x in (335..<365).map { y in outlines[x, y] } }
    #expect(middle.contains(.white))
  }

  /// One mask for each picture of a folder, and no overlay or uncertainty taken for one.
  @Test func aFolderOfMasksIsMeasured() throws {
    let masks = try folder.folder("masks/a")
    for name in ["x.png", "x.npy", "y.mask.tif", "x.overlay.png", "x.uncertainty.png", "x.probability0.png"] {
      let path = "\(masks)/\(name)"
      if name.hasSuffix("npy") {
        try NpyFile.write(NumericArray([0, 0] as [UInt8], shape: [1, 2]), to: path)
      } else {
        try LabelMask(width: 2, height: 1, labels: [1, 0]).write(to: path)
      }
    }
    let outcome = try DsegProcess.run(["measure", folder.path("masks")])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains("a/x.png,1,") && lines[2].contains("a/y.mask.tif,1,"))
    let none = try DsegProcess.run(["measure", try folder.folder("nothing")])
    #expect(none.exitCode == 66 && none.messages.contains("masks"), "\(none.messages)")
  }

  /// Colours that are nearly those of the classes.
  @Test func nearestColoursAreMeasured() throws {
    let classes = ClassList(names: ["ground", "cell"], palette: Palette(colors: [.black, RGB(200, 0, 0)]))
    try classes.write(to: folder.path("classes.json"))
    var picture = Image(width: 4, height: 2, color: RGB(4, 0, 1))
    picture[1, 1] = RGB(190, 9, 0)
    try picture.write(to: folder.path("c.png"))
    let plain = ["measure", "--classes", folder.path("classes.json"), folder.path("c.png")]
    let refused = try DsegProcess.run(plain)
    #expect(refused.exitCode == 65 && refused.messages.contains("--nearest-colors"), "\(refused.messages)")
    let nameless = try DsegProcess.run(["measure", "--nearest-colors", folder.path("c.png")])
    #expect(nameless.exitCode == 64 && nameless.messages.contains("--classes"), "\(nameless.messages)")
    let read = try DsegProcess.run(plain + ["--nearest-colors"])
    #expect(read.exitCode == 0 && read.output.contains(",1,cell,1,1.000,1.000,"), "\(read.output)")
    #expect(read.messages.contains("8 "), "\(read.messages)")
  }

  /// A mask says how large its pixels are.
  @Test func thePixelSizeOfAMaskIsUsed() throws {
    try LabelMask(width: 4, height: 4, label: 1).write(
      to: folder.path("p.png"), pixelSize: PixelSize(x: 0.5, y: 0.5))
    let outcome = try DsegProcess.run(["measure", folder.path("p.png")])
    #expect(outcome.output.contains("area_units") && outcome.output.contains(",16,"))
    #expect(outcome.output.hasSuffix(",4,6,2.25676\n"), "\(outcome.output)")
    try LabelMask(width: 4, height: 4, label: 1).write(
      to: folder.path("q.png"), pixelSize: PixelSize(x: 0.5, y: 2))
    let oblong = try DsegProcess.run(["measure", folder.path("q.png")])
    #expect(
      oblong.messages.contains("not square") && oblong.output.hasSuffix(",16,12,4.51352\n"),
      "\(oblong.output)")
    let stray = try DsegProcess.run(["measure", folder.path("p.png"), "--checkpoint", "model.pt"])
    #expect(stray.exitCode == 64 && stray.messages.contains("--checkpoint"), "\(stray.messages)")
  }

  @Test(arguments: [["--connectivity", "5"], ["--minimum-area", "0"], ["--pixel-size", "0"]])
  func wrongSettingsAreNamed(flags: [String]) throws {
    let outcome = try DsegProcess.run(["measure", folder.path("m.png")] + flags)
    #expect(outcome.exitCode == 64)
    #expect(outcome.messages.contains(flags[0]))
  }

  @Test func aDataSetOfOneClassCannotBeTrainedOn() throws {
    _ = try folder.folder("d")
    try Image(width: 3, height: 3).write(to: folder.path("d/x.png"))
    try LabelMask(width: 3, height: 3, label: 1).write(to: folder.path("d/x.mask.png"))
    let outcome = try DsegProcess.run(["dataset", "check", folder.path("d")])
    #expect(outcome.exitCode == 65)
    #expect(outcome.output.contains("cannot be trained on"))
  }

  private struct Figures: Decodable {
    struct Object: Decodable {
      var area: Int
      var perimeter: Double
      var equivalentDiameter: Double
      var areaInUnits: Double?
      var perimeterInUnits: Double?
      var equivalentDiameterInUnits: Double?
    }
    struct Picture: Decodable {
      struct Share: Decodable {
        var name: String
        var objects: Int
        var areaFraction: Double
      }
      var objects: Int
      var classes: [Share]
    }
    var objects: [Object]
    var pictures: [Picture]
  }

  @Test func figuresAndShares() throws {
    // Half of it is not used; objects of 12, 2 and 1 pixels.
    var mask = LabelMask(width: 20, height: 10, label: 0)
    for y in 5..<10 { for x in 0..<20 { mask[x, y] = 255 } }
    for y in 1..<4 { for x in 1..<5 { mask[x, y] = 1 } }
    (mask[8, 1], mask[8, 2], mask[10, 3]) = (1, 1, 2)
    let path = folder.path("a \"b\", c.png")
    try mask.write(to: path)
    let json = try DsegProcess.run(["measure", path, "--pixel-size", "0.5", "--json"])
    let found = try JSONDecoder().decode(Figures.self, from: Data(json.output.utf8))
    #expect(found.objects.map(\.area) == [12, 2, 1])
    for object in found.objects {
      #expect(object.areaInUnits == Double(object.area) / 4)
      #expect(object.perimeterInUnits == object.perimeter / 2)
      #expect(object.equivalentDiameterInUnits == object.equivalentDiameter / 2)
    }
    let picture = try #require(found.pictures.first)
    #expect(picture.objects == 3 && picture.classes.map(\.name) == ["class 1", "class 2"])
    #expect(picture.classes.map(\.objects) == [2, 1])
    #expect(picture.classes.map(\.areaFraction) == [0.14, 0.01])
    // A name with quotes and a comma is one cell.
    let table = try DsegProcess.run(["measure", path])
    let lines = table.output.split(separator: "\n")
    #expect(lines[1].hasPrefix("\"\(folder.path("a \"\"b\"\", c.png"))\",1,class 1,12,2.500,2.000,1,1,4,3,"))
  }
}

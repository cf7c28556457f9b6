import Annotations
import DiffusionSegmentation
import Foundation
import Images

/// A line of the table of objects.
struct ObjectFigures: Encodable {
  var picture: String
  var object: Int
  var `class`: String
  var area: Int
  var centroidX: Double
  var centroidY: Double
  var x: Int
  var y: Int
  var width: Int
  var height: Int
  var perimeter: Double
  var equivalentDiameter: Double
  var meanUncertainty: Double?
  /// In the unit of the pixel size, and its square.
  var areaInUnits: Double?
  var perimeterInUnits: Double?
  var equivalentDiameterInUnits: Double?

  init(_ found: MaskObject, picture: String, classes: ClassList, pixelSize: Double?) {
    self.picture = picture
    (object, `class`, area) = (found.number, classes.names[Int(found.label)], found.area)
    (centroidX, centroidY) = (found.centroid.x, found.centroid.y)
    (x, y, width, height) = found.box
    (perimeter, equivalentDiameter, meanUncertainty) = (
      found.perimeter, found.equivalentDiameter, found.uncertainty
    )
    areaInUnits = pixelSize.map { Double(found.area) * $0 * $0 }
    perimeterInUnits = pixelSize.map { found.perimeter * $0 }
    equivalentDiameterInUnits = pixelSize.map { found.equivalentDiameter * $0 }
  }

  /// A table with a heading (RFC 4180, lines end with a line feed).
  static func csv(_ objects: [ObjectFigures], hasPixelSize: Bool) -> String {
    var heading =
      "picture,object,class,area,centroid_x,centroid_y,x,y,width,height,perimeter,equivalent_diameter,mean_uncertainty"
    if hasPixelSize { heading += ",area_units,perimeter_units,equivalent_diameter_units" }
    func quoted(_ text: String) -> String {
      text.contains { ",\"\r\n".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
    func short(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    let lines = objects.map { object in
      var cells = [
        quoted(object.picture), "\(object.object)", quoted(object.class), "\(object.area)",
        String(format: "%.3f", object.centroidX), String(format: "%.3f", object.centroidY), "\(object.x)",
        "\(object.y)", "\(object.width)", "\(object.height)", String(format: "%.4f", object.perimeter),
        String(format: "%.4f", object.equivalentDiameter), short(object.meanUncertainty),
      ]
      if hasPixelSize {
        cells += [object.areaInUnits, object.perimeterInUnits, object.equivalentDiameterInUnits].map(short)
      }
      return cells.joined(separator: ",")
    }
    return ([heading] + lines).joined(separator: "\n")
  }
}

/// The objects of a picture, counted.
struct PictureSummary: Encodable {
  struct ClassShare: Encodable {
    var name: String
    var objects: Int
    /// Of the pixels that are not ignored, 0 to 1.
    var areaFraction: Double
  }

  var picture: String
  var objects: Int
  var classes: [ClassShare]

  init(
    _ picture: String, _ mask: LabelMask, _ found: [MaskObject], _ list: ClassList,
    skipping skipped: Set<UInt8>
  ) {
    self.picture = picture
    objects = found.count
    let counts = mask.histogram
    let used = max(1, mask.labels.count - counts[Int(list.ignoreLabel)])
    let numbers = Dictionary(grouping: found, by: \.label).mapValues(\.count)
    classes = list.names.indices.filter { !skipped.contains(UInt8($0)) && counts[$0] > 0 }.map { label in
      ClassShare(
        name: list.names[label], objects: numbers[UInt8(label)] ?? 0,
        areaFraction: Double(counts[label]) / Double(used))
    }
  }

  var text: String {
    let shares = classes.map {
      "\($0.name) \($0.objects) (\(String(format: "%.2f", 100 * $0.areaFraction)) % of the area)"
    }
    return "\(picture): \(objects) objects" + (shares.isEmpty ? "" : ": " + shares.joined(separator: ", "))
  }
}

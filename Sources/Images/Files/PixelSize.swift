import Base
import CTIFF
import Foundation

/// How large a pixel is in what was photographed, in micrometres.
public struct PixelSize: Sendable, Hashable {
  /// Width of a pixel, above 0.
  public var x: Double
  /// Height of a pixel, above 0.
  public var y: Double

  /// - Precondition: both are finite and above 0.
  public init(x: Double, y: Double) {
    precondition(x > 0 && y > 0 && x.isFinite && y.isFinite, "a pixel of \(x) x \(y) micrometres")
    (self.x, self.y) = (x, y)
  }

  /// What a file says; nil for what nothing has, from an atom's share to a city's.
  init?(_ x: Double?, _ y: Double?) {
    guard let x, let y, 1e-9...1e10 ~= x, 1e-9...1e10 ~= y else { return nil }
    (self.x, self.y) = (x, y)
  }
}

extension PixelSize {
  /// The size that a page of a TIFF file gives: that of OME-XML (`PhysicalSizeX`), else that of ImageJ (resolution tags
  /// with a unit in the description), else that of resolution tags with a unit, as long as they say less than 20
  /// micrometres a pixel; more is what screens and printers have.
  ///
  /// Source: OME data model 2016-06, Pixels; ImageJ, `TiffDecoder`; TIFF 6.0, section 8.
  init?(_ page: dseg_tiff_page) {
    let text = page.description.map { String(cString: $0) } ?? ""
    let (x, y) = (Double(page.x_resolution), Double(page.y_resolution))
    if text.contains("<OME") {
      func size(_ axis: String) -> Double? {
        guard let number = Self.attribute("PhysicalSize\(axis)", in: text).flatMap(Double.init) else {
          return nil
        }
        let unit = Self.attribute("PhysicalSize\(axis)Unit", in: text) ?? "µm"
        return Self.micrometres[unit].map { $0 * number }
      }
      if let size = PixelSize(size("X"), size("Y")) {
        self = size
        return
      }
    }
    if text.hasPrefix("ImageJ=") {
      let unit = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("unit=") }?.dropFirst(5)
      guard let unit, let scale = Self.micrometres[String(unit)],
        let size = PixelSize(scale / x, scale / y)
      else { return nil }
      self = size
      return
    }
    let scale: Double? =
      switch Int32(page.resolution_unit) {
      case RESUNIT_INCH: 25_400
      case RESUNIT_CENTIMETER: 10_000
      default: nil
      }
    guard let scale, let size = PixelSize(scale / x, scale / y), max(size.x, size.y) < 20 else { return nil }
    self = size
  }

  /// Units by all names that the programs write; ImageJ writes the sign as an escape.
  private static let micrometres: [String: Double] = [
    "µm": 1, "\u{3BC}m": 1, "um": 1, "micron": 1, "microns": 1, "micrometer": 1, "\\u00B5m": 1, "nm": 1e-3,
    "pm": 1e-6, "Å": 1e-4, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": 25_400, "in": 25_400,
  ]

  /// The value of the first attribute of a name: `PhysicalSizeX="0.65"`.
  private static func attribute(_ name: String, in text: String) -> String? {
    guard let start = text.range(of: " \(name)=\"") else { return nil }
    let rest = text[start.upperBound...]
    return rest.firstIndex(of: "\"").map {
      rest[..<$0].replacingOccurrences(of: "&#181;", with: "µ").replacingOccurrences(of: "&#xB5;", with: "µ")
    }
  }
}

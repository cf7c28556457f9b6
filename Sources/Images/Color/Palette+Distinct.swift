import Foundation
import TensorCore

extension Palette {
  /// Colours that are easy to tell apart; label 0, usually the background, is black.
  ///
  /// Each next colour is the one farthest from all before it in a perceptual space (the method of
  /// Glasbey et al., "Colour displays for categorical images", 2007, in the space OKLab of
  /// B. Ottosson, 2020). A palette of fewer colours is therefore the beginning of one of more: adding
  /// a class changes no colour. The same on all machines.
  /// - Parameter count: 1...256.
  public static func distinct(count: Int) -> Palette {
    precondition((1...256).contains(count), "a palette of \(count) colours; 1 to 256 are possible")
    return Palette(colors: Array(mostDistinct.colors.prefix(count)))
  }

  private static let mostDistinct = Palette(colors: farthestColors(count: 256))

  private static func farthestColors(count: Int) -> [RGB] {
    // A grid of sRGB without the colours too dark to tell from the background, or from the white of a page.
    let levels = stride(from: 0, through: 255, by: 15).map { UInt8($0) }
    let grid = levels.flatMap { red in levels.flatMap { green in levels.map { RGB(red, green, $0) } } }
    let candidates = grid.map { (color: $0, place: Place($0)) }.filter {
      (400...930).contains($0.place.lightness)
    }
    var chosen = [RGB.black, RGB(225, 45, 45)]
    var nearest = Array(repeating: Int.max, count: candidates.count)
    var seen = 0
    // White and a middle grey stand for the page and the greys of photographs.
    var places = chosen.map(Place.init) + [Place(.white), Place(RGB(128, 128, 128))]
    while chosen.count < count {
      for place in places[seen...] {
        for index in candidates.indices {
          nearest[index] = min(nearest[index], candidates[index].place.squaredDistance(to: place))
        }
      }
      seen = places.count
      let farthest = nearest.indices.max { nearest[$0] < nearest[$1] }!
      chosen.append(candidates[farthest].color)
      places.append(candidates[farthest].place)
    }
    return chosen
  }

  /// A colour in OKLab, in thousandths: whole numbers, so that ties do not depend on the last bits of
  /// a cube root.
  private struct Place {
    let lightness: Int
    let greenRed: Int
    let blueYellow: Int

    init(_ color: RGB) {
      func linear(_ sample: UInt8) -> Double {
        let value = Double(sample) / 255
        return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
      }
      let (red, green, blue) = (linear(color.red), linear(color.green), linear(color.blue))
      let long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
      let medium = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
      let short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
      lightness = Int((1000 * (0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short)).rounded())
      greenRed = Int((1000 * (1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short)).rounded())
      blueYellow = Int(
        (1000 * (0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short)).rounded())
    }

    func squaredDistance(to other: Place) -> Int {
      // Small areas show hue better than lightness, so the hue plane counts more.
      let (light, a, b) = (
        lightness - other.lightness, greenRed - other.greenRed, blueYellow - other.blueYellow
      )
      return light * light + 4 * (a * a + b * b)
    }
  }
}

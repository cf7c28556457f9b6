import Base
import CPNG
import Synchronization

/// Counts the pixels of masks whose colours are those of no class and were taken for the nearest. A mask that is read
/// again is not counted again.
public final class InexactColors: Sendable {
  /// What was counted.
  public struct Sum: Sendable, Codable, Equatable {
    /// Masks, or pages of them, with such pixels.
    public var masks: Int
    /// Those pixels.
    public var pixels: Int
    /// The farthest that a colour was from that of its class, as red, green and blue span a space: 0 to 441.7.
    public var largestDistance: Double

    public init(masks: Int = 0, pixels: Int = 0, largestDistance: Double = 0) {
      (self.masks, self.pixels, self.largestDistance) = (masks, pixels, largestDistance)
    }
  }

  private struct Place: Hashable {
    var path: String
    var page: Int?
  }
  private let found = Mutex([Place: (pixels: Int, distance: Double)]())

  public init() {}

  /// Over all masks that were read.
  public var sum: Sum {
    found.withLock { found in
      found.values.reduce(into: Sum()) { sum, mask in
        sum.masks += 1
        sum.pixels += mask.pixels
        sum.largestDistance = max(sum.largestDistance, mask.distance)
      }
    }
  }

  func add(_ path: String, page: Int?, pixels: Int, distance: Double) {
    found.withLock { $0[Place(path: path, page: page)] = (pixels, distance) }
  }
}

extension LabelMask {
  /// Whether the samples of a file are colours, not labels.
  static func isColored(
    _ bytes: UnsafeRawBufferPointer, _ format: FileFormat, page: Int?, path: String
  ) throws(DataError) -> Bool {
    switch format {
    case .jpeg: return true
    case .png:
      let header = try PNG.header(bytes, path: path)
      return header.color_type & ~PNG_COLOR_MASK_ALPHA == PNG_COLOR_TYPE_RGB && header.bit_depth == 8
    case .tiff:
      let pages = try TIFFDirectories(bytes, path: path).pages.count
      try Image.checkPage(page, of: pages, path: path)
      let header = try TIFF.page(bytes, page ?? 0, path: path, notices: Notices())
      return switch (header.colors, header.kind) {
      case (.samples(colors: 3), .unsigned(bits: 8)), (.converted, _): true
      default: false
      }
    }
  }

  /// The class of the nearest colour for each pixel, by the distance of red, green and blue; of several as near the one
  /// of the lowest label.
  /// - Throws: `DataError` of kind `.unsupported` for a colour whose nearest is that of several classes.
  static func nearest(
    in image: Image, palette: Palette, page: Int?, path: String, counting colors: InexactColors,
    notices: Notices
  ) throws(DataError) -> LabelMask {
    var known: [UInt32: (label: UInt8, distance: Int)] = [:]
    var labels = [UInt8](repeating: 0, count: image.width * image.height)
    var (last, lastFound) = (UInt32.max, (label: UInt8(0), distance: 0))
    var (inexact, farthest) = (0, 0)
    let pixels = image.pixels
    for position in labels.indices {
      let color = RGB(pixels[3 * position], pixels[3 * position + 1], pixels[3 * position + 2])
      let key = UInt32(color.red) << 16 | UInt32(color.green) << 8 | UInt32(color.blue)
      if key != last {
        last = key
        if let found = known[key] {
          lastFound = found
        } else {
          lastFound = palette.nearest(to: color)
          let nearest = palette.colors[Int(lastFound.label)]
          guard palette.colors.count(where: { $0 == nearest }) == 1 else {
            throw DataError(
              .unsupported, file: path, item: "pixel (\(position % image.width), \(position / image.width))",
              expected: "a colour nearest to that of one class",
              found: "\(color), nearest to \(nearest), the colour of several")
          }
          // A photograph may have millions of colours.
          if known.count > 1 << 20 { known.removeAll() }
          known[key] = lastFound
        }
      }
      labels[position] = lastFound.label
      if lastFound.distance > 0 { inexact += 1 }
      farthest = max(farthest, lastFound.distance)
    }
    if inexact > 0 {
      let distance = Double(farthest).squareRoot()
      colors.add(path, page: page, pixels: inexact, distance: distance)
      notices.add(
        .changed, file: path,
        item: (page.map { "page \($0 + 1), " } ?? "")
          + "\(inexact) of \(labels.count) pixels, up to \((10 * distance).rounded() / 10) away",
        "colours of no class, taken for the nearest")
    }
    return LabelMask(width: image.width, height: image.height, labels: labels)
  }
}

extension Palette {
  /// The label of the nearest colour and the square of the distance to it; of several the lowest.
  func nearest(to color: RGB) -> (label: UInt8, distance: Int) {
    var best = (label: UInt8(0), distance: Int.max)
    for (label, other) in colors.enumerated() {
      let (red, green, blue) = (
        Int(color.red) - Int(other.red), Int(color.green) - Int(other.green),
        Int(color.blue) - Int(other.blue)
      )
      let distance = red * red + green * green + blue * blue
      if distance < best.distance { best = (UInt8(label), distance) }
    }
    return best
  }
}

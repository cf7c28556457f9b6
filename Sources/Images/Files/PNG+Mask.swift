import Base
import CPNG

extension PNG {
  /// Decodes labels, see `LabelMask.init(contentsOf:page:palette:notices:)`.
  static func mask(
    _ bytes: UnsafeRawBufferPointer, palette: Palette?, path: String, notices: Notices
  ) throws(DataError) -> LabelMask {
    let isColored = try header(bytes, path: path).color_type & ~PNG_COLOR_MASK_ALPHA == PNG_COLOR_TYPE_RGB
    let (header, samples) = try decode(bytes, path: path, samples: isColored ? DSEG_PNG_RGB : DSEG_PNG_RAW)
    let width = Int(header.width)
    let labels: [UInt8]
    switch (isColored, header.bit_depth) {
    case (true, 16):
      throw DataError(
        .unsupported, file: path, item: "bit depth", expected: "labels in colours of 8 bits",
        found: "colours of 16 bits")
    case (true, _):
      labels = try self.labels(
        fromColors: samples, width: width, palette: palette, path: path, notices: notices)
    case (false, 16):
      labels = try self.labels(fromWide: samples, width: width, path: path, notices: notices)
    default:
      labels = samples
      if let own = self.palette(of: header), let palette,
        haveOtherOrder(labels, colors: own.colors, than: palette.colors)
      {
        notices.add(
          .suspicious, file: path,
          "its colours are those of the classes in another order; the labels are its palette's indices")
      }
    }
    let chunks = PNGChunks(bytes)
    addNotices(of: header, chunks, bytes, path: path, to: notices)
    if orientation(bytes).value > 1 {
      notices.add(.ignored, file: path, "the EXIF orientation of a mask; labels are as they are stored")
    }
    return LabelMask(width: width, height: Int(header.height), labels: labels)
  }

  /// Labels of 16 bits that fit into 8. 65535 is what scaling to 16 bits makes of 255, the label to be
  /// ignored.
  private static func labels(
    fromWide samples: [UInt8], width: Int, path: String, notices: Notices
  ) throws(DataError) -> [UInt8] {
    var labels: [UInt8] = []
    labels.reserveCapacity(samples.count / 2)
    var hasIgnored = false
    for pixel in 0..<samples.count / 2 {
      let value = Int(samples[2 * pixel]) << 8 | Int(samples[2 * pixel + 1])
      guard value > 255 else {
        labels.append(UInt8(value))
        continue
      }
      guard value == 65_535 else {
        let isScaled = stride(from: 0, to: samples.count, by: 2).allSatisfy { samples[$0] == samples[$0 + 1] }
        throw DataError(
          .unsupported, file: path, item: "pixel (\(pixel % width), \(pixel / width))",
          expected: "a label of 0 to 255, or 65535 for ignored",
          found: isScaled
            ? "\(value), with all values multiples of 257: labels scaled from 8 to 16 bits?" : "\(value)")
      }
      hasIgnored = true
      labels.append(LabelMask.ignoreLabel)
    }
    if hasIgnored {
      notices.add(.guessed, file: path, "the 16-bit value 65535 taken as 255, the ignored label")
    }
    return labels
  }

  /// Whether the colours of the labels in use are all colours of classes, but not always of the class
  /// with the label's number: programs that count colours number them as they like.
  static func haveOtherOrder(_ labels: [UInt8], colors: [RGB], than classes: [RGB]) -> Bool {
    var isUsed = Array(repeating: false, count: 256)
    for label in labels { isUsed[Int(label)] = true }
    var isOther = false
    for label in 0..<256 where isUsed[label] {
      guard label < colors.count else { return false }
      if label < classes.count && classes[label] == colors[label] { continue }
      guard classes.contains(colors[label]) else { return false }
      isOther = true
    }
    return isOther
  }
}

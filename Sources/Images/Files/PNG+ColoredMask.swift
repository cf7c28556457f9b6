import Base

extension PNG {
  /// Labels of red, green and blue samples: the class of each colour when all are colours of classes, else
  /// the grey value when all are grey.
  static func labels(
    fromColors samples: [UInt8], width: Int, palette: Palette?, path: String, notices: Notices
  ) throws(DataError) -> [UInt8] {
    var classes: [UInt32: UInt8] = [:]
    var shared = Set<UInt32>()
    for (label, color) in (palette?.colors ?? []).enumerated() {
      let key = UInt32(color.red) << 16 | UInt32(color.green) << 8 | UInt32(color.blue)
      if classes.updateValue(classes[key] ?? UInt8(label), forKey: key) != nil { shared.insert(key) }
    }
    let pixels = samples.count / 3
    var labels: [UInt8] = []
    labels.reserveCapacity(pixels)
    var isGrey = true
    var (lastColor, lastLabel) = (UInt32.max, UInt8(0))
    var firstOther: (pixel: Int, color: UInt32)?
    for pixel in 0..<pixels {
      let color = color(samples, pixel)
      isGrey = isGrey && color == (color & 255) * 0x01_0101
      if color != lastColor {
        if let label = classes[color] {
          guard !shared.contains(color) else {
            throw DataError(
              .unsupported, file: path, item: place(pixel, width), expected: "a colour of one class",
              found: "\(name(color)), the colour of several")
          }
          (lastColor, lastLabel) = (color, label)
        } else if firstOther == nil {
          firstOther = (pixel, color)
        }
      }
      // Without classes any grey is a label, so the first that is none tells more.
      if palette == nil && !isGrey { firstOther = (pixel, color) }
      if firstOther != nil && !isGrey { break }
      labels.append(lastLabel)
    }
    guard let other = firstOther else { return labels }
    if isGrey {
      notices.add(.guessed, file: path, "three equal channels taken as grey labels")
      return stride(from: 0, to: samples.count, by: 3).map { samples[$0] }
    }
    let count = others(samples, than: classes)
    throw DataError(
      .unsupported, file: path, item: place(other.pixel, width),
      expected: palette == nil
        ? "labels: an indexed or grey picture, or one in exactly the colours of the classes"
        : "labels in exactly the \(classes.count) colours of the classes",
      found:
        "\(name(other.color)), one of \(count) "
        + (palette == nil
          ? "colours in the file" : "other colours in the file (--nearest-colors takes the nearest)"))
  }

  private static func color(_ samples: [UInt8], _ pixel: Int) -> UInt32 {
    UInt32(samples[3 * pixel]) << 16 | UInt32(samples[3 * pixel + 1]) << 8 | UInt32(samples[3 * pixel + 2])
  }

  private static func name(_ color: UInt32) -> String {
    RGB(UInt8(color >> 16), UInt8(color >> 8 & 255), UInt8(color & 255)).description
  }

  private static func place(_ pixel: Int, _ width: Int) -> String {
    "pixel (\(pixel % width), \(pixel / width))"
  }

  /// How many colours are no class's; beyond 1000 it is a photo, however many there are.
  private static func others(_ samples: [UInt8], than classes: [UInt32: UInt8]) -> String {
    var found = Set<UInt32>()
    for pixel in 0..<samples.count / 3 {
      let color = color(samples, pixel)
      if classes[color] == nil { found.insert(color) }
      if found.count > 1000 { return "more than 1000" }
    }
    return "\(found.count)"
  }
}

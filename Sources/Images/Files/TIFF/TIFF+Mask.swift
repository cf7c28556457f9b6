import Base

extension TIFF {
  /// Decodes labels, see `LabelMask.init(contentsOf:page:palette:notices:)`.
  static func mask(
    _ bytes: UnsafeRawBufferPointer, page: Int?, palette: Palette?, path: String, notices: Notices
  ) throws(DataError) -> LabelMask {
    let directories = try TIFFDirectories(bytes, path: path)
    try Image.checkPage(page, of: directories.pages.count, path: path)
    let header = try self.page(bytes, page ?? 0, path: path, notices: Notices())
    func refuse(_ found: String) -> DataError {
      DataError(
        .unsupported, file: path, item: "samples",
        expected: "labels: whole numbers, indexed or grey, or colours",
        found: found)
    }
    switch (header.colors, header.kind) {
    case (.samples(colors: 3), .unsigned(bits: 8)):
      let image = try self.image(
        bytes, page: page, reading: PictureReading(), path: path, notices: notices
      ).1
      let labels = try PNG.labels(
        fromColors: image.pixels, width: image.width, palette: palette, path: path, notices: notices)
      return LabelMask(width: image.width, height: image.height, labels: labels)
    case (.samples(colors: 1), .unsigned), (.samples(colors: 1), .unsigned32), (.palette, .unsigned): break
    case (.samples, let kind): throw refuse("\(kind.name) samples")
    default: throw refuse("CMYK or another kind of colours")
    }
    // Channel 0 as it is stored; of a palette nothing can be chosen, and its entries are the labels.
    let reader = try reader(bytes, page: page, reading: PictureReading(), path: path, notices: notices)
    try checkSize(of: reader, path: path)
    if header.isInverted {
      notices.add(.guessed, file: path, "0 stands for white in it; labels are the numbers as they are stored")
    }
    if header.orientation.value > 1 {
      notices.add(.ignored, file: path, "the orientation of a mask; labels are as they are stored")
    }
    var labels: [UInt8] = []
    while let rows = try reader.nextRaw() {
      labels += try self.labels(rows.bytes, kind: header.kind, first: labels.count, header, path, notices)
    }
    if case .palette(let own) = header.colors, let palette,
      PNG.haveOtherOrder(labels, colors: own, than: palette.colors)
    {
      notices.add(
        .suspicious, file: path,
        "its colours are those of the classes in another order; the labels are its palette's indices")
    }
    return LabelMask(width: header.width, height: header.height, labels: labels)
  }

  /// Labels that fit into 8 bits; the largest number of 16 or 32 bits stands for 255, the label to be ignored.
  private static func labels(
    _ bytes: [UInt8], kind: SampleKind, first: Int, _ header: TIFFPage, _ path: String, _ notices: Notices
  ) throws(DataError) -> [UInt8] {
    guard kind.size > 1 else { return bytes }
    let most = UInt64(kind.fullRange.high)
    var labels = [UInt8](repeating: 0, count: bytes.count / kind.size)
    var other: (index: Int, value: UInt64)?
    var hasIgnored = false
    forEachPattern(bytes, size: kind.size) { index, value in
      if value <= 255 {
        labels[index] = UInt8(value)
      } else if value == most {
        labels[index] = LabelMask.ignoreLabel
        hasIgnored = true
      } else if other == nil {
        other = (first + index, value)
      }
    }
    if let other {
      throw DataError(
        .unsupported, file: path,
        item: "pixel (\(other.index % header.width), \(other.index / header.width))",
        expected: "a label of 0 to 255, or \(most) for ignored", found: "\(other.value)")
    }
    if hasIgnored {
      notices.add(.guessed, file: path, "the \(kind.name) value \(most) taken as 255, the ignored label")
    }
    return labels
  }
}

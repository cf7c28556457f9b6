import DiffusionSegmentation
import Images
import TestSupport

extension FuzzTarget {
  /// A PNG file of small numbers that do not compress.
  private static func png(kind: UInt8, depth: Int, interlaced: Bool = false) -> [UInt8] {
    let (width, height) = (11, 9)
    let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][Int(kind)]!
    let passes =
      interlaced
      ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
      : [(0, 0, 1, 1)]
    var lines: [UInt8] = []
    for (left, top, across, down) in passes {
      let columns = stride(from: left, to: width, by: across).underestimatedCount
      for row in stride(from: top, to: height, by: down) where columns > 0 {
        // Each line with another filter.
        lines.append(UInt8(row % 5))
        lines += (0..<(columns * channels * depth + 7) / 8).map { UInt8($0 * 7 % 16) }
      }
    }
    var chunks: [PNGMutation.Chunk] = [
      (
        Array("IHDR".utf8),
        PNGMutation.big(width) + PNGMutation.big(height) + [UInt8(depth), kind, 0, 0, interlaced ? 1 : 0]
      )
    ]
    if kind == 3 { chunks.append((Array("PLTE".utf8), (0..<3 << min(depth, 8)).map { UInt8($0 & 255) })) }
    chunks.append((Array("IDAT".utf8), PNGMutation.stored(lines)))
    chunks.append((Array("IEND".utf8), []))
    return PNGMutation.file(chunks)
  }

  static func png() throws -> FuzzTarget {
    let image = TinyWorld.scene(1, width: 23, height: 17).0
    let folder = try TemporaryFolder()
    try image.write(to: folder.path("a.png"))
    return FuzzTarget(
      ending: "png",
      seeds: [
        try TestFile.bytes(folder.path("a.png")), png(kind: 0, depth: 1), png(kind: 0, depth: 16),
        png(kind: 2, depth: 8, interlaced: true), png(kind: 2, depth: 16), png(kind: 3, depth: 4),
        png(kind: 4, depth: 8), png(kind: 6, depth: 16, interlaced: true),
      ], mutations: PNGMutation.all
    ) { path in _ = try Image(contentsOf: path) }
  }

  static func mask() throws -> FuzzTarget {
    let mask = TinyWorld.scene(1, width: 23, height: 17).1
    let folder = try TemporaryFolder()
    try mask.write(to: folder.path("a.png"), palette: .distinct(count: 2))
    try mask.write(to: folder.path("b.png"))
    return FuzzTarget(
      ending: "png",
      seeds: [
        try TestFile.bytes(folder.path("a.png")), try TestFile.bytes(folder.path("b.png")),
        png(kind: 0, depth: 2), png(kind: 0, depth: 8, interlaced: true), png(kind: 3, depth: 1),
        png(kind: 3, depth: 8), png(kind: 4, depth: 8),
      ], mutations: PNGMutation.all
    ) { path in
      _ = try LabelMask(contentsOf: path, classes: ClassList(count: 200))
      _ = try Palette(contentsOf: path)
    }
  }

  static func tiff() throws -> FuzzTarget {
    let names = [
      "bilevel", "big", "cmyk", "fax4", "five_channels", "float32", "grey16", "imagej", "jpeg_grey",
      "jpeg_ycbcr_tiles", "labels16", "ome.ome", "pages", "palette4", "rgb16_tiles", "rgb8_lzw",
      "rgb8_packbits",
      "rgb8_planar_tiles", "rgba", "turned", "ycbcr",
    ]
    return FuzzTarget(
      ending: "tif", seeds: try fixture("Pictures", names.map { "\($0).tif" }),
      mutations: ByteMutation.all + [TIFF.changeEntry]
    ) { path in
      _ = try Image(contentsOf: path)
      let stream = try PictureStream(
        contentsOf: path, page: try Image.pageCount(ofFile: path) - 1,
        reading: PictureReading(channels: [0], range: .percentile(1, 99)))
      while try stream.read(rows: 5) != nil {}
      // Photographs are no masks.
      _ = try? LabelMask(contentsOf: path)
      _ = try? Palette(contentsOf: path)
    }
  }

  static func jpeg() throws -> FuzzTarget {
    let names = [
      "cmyk", "grey", "half_chroma", "progressive", "quarter_chroma", "rgb", "third_chroma", "turned",
    ]
    let seeds = try fixture("images", names.map { "\($0).jpg" })
    let turned = seeds.prefix(2).map { seed in
      let exif = Array("Exif\0\0".utf8) + TIFF.orientation(6, isBig: true)
      return Array(seed[..<2]) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + seed[2...]
    }
    return FuzzTarget(ending: "jpg", seeds: seeds + turned, mutations: JPEGMutation.all) { path in
      _ = try Image(contentsOf: path)
    }
  }
}

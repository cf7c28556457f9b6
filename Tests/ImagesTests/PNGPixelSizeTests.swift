import Base
import Images
import TestSupport
import Testing

/// The size of a pixel in PNG files, and pictures of 16 bits.
struct PNGPixelSizeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["png", "tif"], [(0.325, 0.325), (1.0 / 3, 2e-4), (1e5, 7)])
  func masksTellIt(_ ending: String, size: (x: Double, y: Double)) throws {
    let path = folder.path("m.\(ending)")
    let mask = LabelMask(width: 3, height: 2, labels: [0, 1, 2, 3, 4, 5])
    try mask.write(to: path, palette: .distinct(count: 3), pixelSize: PixelSize(x: size.x, y: size.y))
    let read = try LabelMask(contentsOf: path)
    #expect(read == mask)
    let found = try Image.pixelSize(ofFile: path)
    // A TIFF file has it as a fraction, and no more than 20 micrometres.
    if ending == "tif" && size.x > 20 { return #expect(found == nil) }
    let (x, y) = (try #require(found).x, try #require(found).y)
    #expect(abs(x / size.x - 1) < 1e-6 && abs(y / size.y - 1) < 1e-6)
    if ending == "png" { #expect(x == size.x && y == size.y) }
  }

  /// Pixels a metre, for other programs.
  @Test func resolutionIsWritten() throws {
    let path = folder.path("m.png")
    try LabelMask(width: 1, height: 1, label: 0).write(to: path, pixelSize: PixelSize(x: 0.5, y: 2))
    let file = try MappedFile(path: path)
    let bytes = Array(file.bytes)
    let name = Array("pHYs".utf8)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
    let numbers = [0, 4].map { offset in
      bytes[start + 4 + offset..<start + 8 + offset].reduce(0) { $0 << 8 | Int($1) }
    }
    #expect(numbers == [2_000_000, 500_000] && bytes[start + 12] == 1)
  }

  /// Other files say nothing, and a resolution alone is that of a printer.
  @Test(
    arguments: [
      "", "0.5 x 0.5 mm", "0.5 um", "0 x 1 um", "-1 x 1 um", "nan x 1 um", "1 x 1 um 3", "1e300 x 1 um",
    ])
  func whatSaysNothing(_ text: String) throws {
    var bytes = try LabelMask(width: 1, height: 1, label: 0).encoded()
    if !text.isEmpty {
      let content = Array("tEXtPixelSize\0\(text)".utf8)
      let length = UInt8(content.count - 4)
      // No reader checks the sum of a text that it does not know.
      bytes.insert(contentsOf: [0, 0, 0, length] + content + [0, 0, 0, 0], at: 33)
    }
    let path = folder.path("a.png")
    try AtomicFile.write(bytes, to: path)
    let found = try Image.pixelSize(ofFile: path)
    #expect(found == nil)
    try Image(width: 2, height: 2).write(to: folder.path("a.jpg"))
    let ofJPEG = try Image.pixelSize(ofFile: folder.path("a.jpg"))
    #expect(ofJPEG == nil)
  }

  /// All 16 bits are in the file: two ranges of 8 bits show them.
  @Test(arguments: ["png", "tif"])
  func deepPicturesKeepAllBits(_ ending: String) throws {
    let path = folder.path("d.\(ending)")
    let samples: [UInt16] = [0, 1, 255, 256, 32_767, 65_280, 65_281, 65_535]
    try DeepGreyImage(width: 4, height: 2, pixels: samples).write(
      to: path, pixelSize: PixelSize(x: 2, y: 3))
    for first in [0, 65_280] {
      let reading = PictureReading(range: .values(Double(first), Double(first + 255)))
      let read = try Image(contentsOf: path, reading: reading)
      let values = stride(from: 0, to: read.pixels.count, by: 3).map { read.pixels[$0] }
      #expect(values == samples.map { UInt8(min(max(Int($0) - first, 0), 255)) })
    }
    let size = try #require(try Image.pixelSize(ofFile: path))
    #expect(abs(size.x - 2) < 1e-6 && abs(size.y - 3) < 1e-6)
    let error = #expect(throws: DataError.self) {
      try DeepGreyImage(width: 1, height: 1, pixels: [3]).write(to: folder.path("d.jpg"))
    }
    #expect(error?.kind == .invalidArgument)
  }
}

import Base
import Foundation
import Images
import Testing

/// Masks in colours that are not exactly those of the classes.
@Suite struct NearestColorTests {
  private let palette = Palette(colors: [.black, RGB(200, 0, 0), RGB(0, 200, 0), RGB(4, 0, 0)])

  private func write(_ image: Image, _ name: String) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString)-\(name)").path
    try image.write(to: path)
    return path
  }

  private func row(_ colors: [RGB]) -> Image {
    Image(
      width: colors.count, height: 1, pixels: colors.flatMap { [$0.red, $0.green, $0.blue] })
  }

  @Test(arguments: ["m.png", "m.tif"])
  func `every pixel is of the nearest class and others are counted`(name: String) throws {
    // Exact; near red; midway between black and (4, 0, 0); nearer to green though blue is high.
    let image = row([.black, RGB(200, 0, 0), RGB(190, 3, 2), RGB(2, 0, 0), RGB(3, 0, 0), RGB(0, 150, 90)])
    let path = try write(image, name)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (inexact, notices) = (InexactColors(), Notices())
    let mask = try LabelMask(
      contentsOf: path, palette: palette, inexactColors: inexact, notices: notices)
    #expect(mask.labels == [0, 1, 1, 0, 3, 2])
    #expect(inexact.sum.masks == 1 && inexact.sum.pixels == 4)
    #expect(abs(inexact.sum.largestDistance - Double(50 * 50 + 90 * 90).squareRoot()) < 1e-9)
    #expect(notices.all.map(\.item) == ["4 of 6 pixels, up to 103.0 away"])
    #expect(notices.all.map(\.kind) == [.changed])
    // Read again it is not counted again; another file is.
    _ = try LabelMask(contentsOf: path, palette: palette, inexactColors: inexact)
    #expect(inexact.sum.pixels == 4)
    let other = try write(row([RGB(0, 0, 200)]), name)
    defer { try? FileManager.default.removeItem(atPath: other) }
    _ = try LabelMask(contentsOf: other, palette: palette, inexactColors: inexact)
    #expect(inexact.sum == .init(masks: 2, pixels: 5, largestDistance: 200))
    // Without being asked for it is an error that says how.
    let error = #expect(throws: DataError.self) { try LabelMask(contentsOf: path, palette: palette) }
    #expect(error?.item == "pixel (2, 0)" && error?.found.contains("--nearest-colors") == true)
  }

  @Test func `exact colours are not counted`() throws {
    let path = try write(row([.black, RGB(4, 0, 0)]), "m.png")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (inexact, notices) = (InexactColors(), Notices())
    let mask = try LabelMask(contentsOf: path, palette: palette, inexactColors: inexact, notices: notices)
    #expect(mask.labels == [0, 3])
    #expect(inexact.sum == .init() && notices.all.isEmpty)
  }

  @Test func `a JPEG mask is read when it is asked for`() throws {
    let image = Image(
      mask: LabelMask(width: 64, height: 48, labels: (0..<64 * 48).map { $0 % 64 < 30 ? 1 : 2 }),
      palette: palette)
    let path = try write(image, "m.jpg")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let inexact = InexactColors()
    let mask = try LabelMask(contentsOf: path, palette: palette, inexactColors: inexact)
    // Colours are kept in blocks of 16 pixels at half the resolution.
    for x in 0..<64 where !(26..<34).contains(x) { #expect(mask[x, 20] == (x < 30 ? 1 : 2)) }
    #expect(inexact.sum.masks == 1 && inexact.sum.pixels > 0 && inexact.sum.largestDistance > 0)
    let error = #expect(throws: DataError.self) { try LabelMask(contentsOf: path, palette: palette) }
    #expect(error?.kind == .unsupported && error?.found.contains("--nearest-colors") == true)
    // Without colours of classes there is nothing to compare with.
    #expect(throws: DataError.self) { try LabelMask(contentsOf: path, inexactColors: inexact) }
  }

  @Test func `numbers stay labels`() throws {
    for palette in [nil, palette] {
      let bytes = try LabelMask(width: 3, height: 1, labels: [0, 1, 2]).encoded(palette: palette)
      let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).png").path
      try AtomicFile.write(bytes, to: path)
      defer { try? FileManager.default.removeItem(atPath: path) }
      let inexact = InexactColors()
      let read = try LabelMask(contentsOf: path, palette: self.palette, inexactColors: inexact)
      #expect(read.labels == [0, 1, 2] && inexact.sum.pixels == 0)
    }
  }

  @Test func `a colour nearest to that of two classes tells nothing`() throws {
    let path = try write(row([.black, RGB(250, 250, 250)]), "m.png")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: DataError.self) {
      try LabelMask(
        contentsOf: path, palette: Palette(colors: [.black, .white, .white]), inexactColors: InexactColors())
    }
    #expect(error?.item == "pixel (1, 0)" && error?.kind == .unsupported)
  }

  @Test func `labels are as they are stored though the file says that it is turned`() throws {
    let path = Fixtures.path("images/turned.jpg")
    let stored = try Image(contentsOf: path, reading: PictureReading(orientation: .ignore))
    #expect(try Image(contentsOf: path) != stored)
    let grey = Palette(colors: (0..<16).map { RGB($0 * 17, $0 * 17, $0 * 17) })
    let mask = try LabelMask(contentsOf: path, palette: grey, inexactColors: InexactColors())
    #expect((mask.width, mask.height) == (stored.width, stored.height))
    let first = stored[0, 0]
    let distances = grey.colors.map { color in
      let parts = [(first.red, color.red), (first.green, color.green), (first.blue, color.blue)]
      return parts.reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    }
    #expect(distances[Int(mask[0, 0])] == distances.min())
  }

  @Test func `pages are counted one by one and 16 bits are refused`() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).tif").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = try TIFFWriter(path: path, width: 2, height: 1, kind: .rgb, pages: 2)
    try writer.append([1, 0, 0, 0, 0, 0] as [UInt8], page: 0)
    try writer.append([1, 0, 0, 7, 0, 0] as [UInt8], page: 1)
    try writer.finish()
    let inexact = InexactColors()
    for page in 0..<2 {
      let mask = try LabelMask(contentsOf: path, page: page, palette: palette, inexactColors: inexact)
      #expect(mask.labels == [0, page == 0 ? 0 : 3])
    }
    #expect(inexact.sum == .init(masks: 2, pixels: 3, largestDistance: 3))
    let deep = PNGFile(width: 1, height: 1, colorType: .rgb, bitDepth: 16, samples: [0, 0, 0])
    try AtomicFile.write(deep.bytes, to: path)
    let error = #expect(throws: DataError.self) {
      try LabelMask(contentsOf: path, palette: palette, inexactColors: inexact)
    }
    #expect(error?.item == "bit depth")
  }
}

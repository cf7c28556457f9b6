import Base
import Images
import Testing

@Suite struct LabelMaskTests {
  @Test(
    arguments: PNGKind.all.filter { $0.bitDepth <= 8 && $0.colorType.channels <= 2 })
  func `labels are the samples as stored`(kind: PNGKind) throws {
    let file = kind.file(width: 11, height: 6)
    let mask = try LabelMask(decoding: file.bytes)
    let channels = kind.colorType.channels
    #expect((mask.width, mask.height) == (11, 6))
    #expect(mask.labels == (0..<66).map { UInt8(file.samples[channels * $0]) })
  }

  @Test func `pictures are no masks`() throws {
    for (type, depth) in [(PNGFile.ColorType.rgb, 8), (.rgba, 8), (.rgb, 16), (.grey, 16), (.greyAlpha, 16)] {
      let file = PNGKind(colorType: type, bitDepth: depth, isInterlaced: false).file(width: 3, height: 3)
      let error = try #require(throws: DataError.self) { try LabelMask(decoding: file.bytes, name: "a.png") }
      #expect(error.kind == .unsupported && error.file == "a.png")
    }
    let error = try #require(throws: DataError.self) {
      try LabelMask(contentsOf: Fixtures.path("images/grey.jpg"))
    }
    #expect(error.kind == .unsupported)
  }

  @Test(
    arguments: [nil, Palette.distinct(count: 2), .distinct(count: 21), .distinct(count: 256)],
    [1, 2, 4, 17, 256])
  func `a mask written as PNG is read back unchanged`(palette: Palette?, labels: Int) throws {
    let noise = Fixtures.noise(count: 13 * 9, seed: 3).map { UInt8(Int($0) % labels) }
    let mask = LabelMask(width: 13, height: 9, labels: noise)
    try Fixtures.withFolder { folder in
      let path = "\(folder)/mask.png"
      try mask.write(to: path, palette: palette)
      #expect(try LabelMask(contentsOf: path) == mask)
      let colors = try Palette(contentsOf: path)?.colors
      #expect(colors?.prefix(palette?.colors.count ?? 0) == palette?.colors[...])
      if let palette, labels <= palette.colors.count {
        #expect(try Image(contentsOf: path) == Image(mask: mask, palette: palette))
      }
    }
  }

  @Test func `a mask is not written as JPEG`() throws {
    let mask = LabelMask(width: 2, height: 2, label: 1)
    let error = try #require(throws: DataError.self) { try mask.write(to: "/nowhere/mask.jpg") }
    #expect(error.kind == .invalidArgument)
  }

  @Test func `wide values wrap around`() {
    let mask = LabelMask(width: 5, height: 1, wrapping: [-1, 0, 255, 256, 65_537] as [Int32])
    #expect(mask.labels == [255, 0, 255, 0, 1])
  }

  @Test func `nearest neighbour has the rounding of OpenCV`() {
    // At index 49 of 98, two columns meet exactly; OpenCV's reciprocal lies a hair below 1/49.
    let mask = LabelMask(width: 2, height: 1, labels: [1, 2])
    let row = mask.resized(width: 98, height: 1).labels
    #expect(row == Array(repeating: 1, count: 50) + Array(repeating: 2, count: 48))
    #expect(mask.resized(width: 6, height: 1).labels == [1, 1, 1, 2, 2, 2])
    let ramp = LabelMask(width: 7, height: 1, labels: [0, 1, 2, 3, 4, 5, 6])
    #expect(ramp.resized(width: 3, height: 1).labels == [0, 2, 4])
  }

  @Test func `nearest neighbour between centres keeps symmetric masks symmetric`() {
    let ramp = LabelMask(width: 7, height: 1, labels: [0, 1, 2, 3, 2, 1, 0])
    for size in 1...40 {
      let row = ramp.resizedCentered(width: size, height: 3).labels
      let mirrored = Array(row.reversed())
      // Where a centre falls on a border the right pixel is taken on both sides of the mirror.
      let ties = (0..<size).filter { (2 * $0 + 1) * 7 % (2 * size) == 0 }.count
      #expect(zip(row, mirrored).filter { $0 != $1 }.count <= 6 * ties)
    }
    #expect(ramp.resizedCentered(width: 3, height: 1).labels == [1, 3, 1])
    #expect(ramp.resizedCentered(width: 7, height: 1) == ramp)
  }

  @Test func `the histogram counts labels`() {
    let counts = LabelMask(width: 3, height: 1, labels: [7, 255, 7]).histogram
    #expect(counts[7] == 2 && counts[255] == 1 && counts.reduce(0, +) == 3)
  }
}

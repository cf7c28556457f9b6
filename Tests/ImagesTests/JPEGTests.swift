import Base
import Images
import Testing

@Suite struct JPEGTests {
  @Test(
    arguments: [
      ("half_chroma", 0x45db_d3ca_1349_5f1d), ("progressive", 0xaa45_d1a4_17d5_795a),
      ("grey", 0xbb8d_89b4_f4bb_833f),
      ("cmyk", 0xf345_8f95_b9db_f957), ("rgb", 0x1c59_0ed7_8878_705a),
      ("quarter_chroma", 0x15e4_8c3e_09a8_acfd), ("third_chroma", 0xe3c0_6a0f_1541_6fed),
    ] as [(String, UInt64)])
  func `files decode to the pixels that Pillow gives`(name: String, hash: UInt64) throws {
    let image = try Image(contentsOf: Fixtures.path("images/\(name).jpg"))
    #expect((image.width, image.height) == (29, 19))
    #expect(Fixtures.hash(image.pixels) == hash)
  }

  @Test(arguments: [(1, 1), (17, 9), (64, 64)])
  func `a picture written as JPEG is read back nearly unchanged`(size: (Int, Int)) throws {
    let smooth = Fixtures.picture(4, 4).resized(width: size.0, height: size.1, filter: .bicubic)
    try Fixtures.withFolder { folder in
      try smooth.write(to: "\(folder)/a.JPEG")
      let read = try Image(contentsOf: "\(folder)/a.JPEG")
      #expect((read.width, read.height) == size)
      // Halved chroma would be off by 53.
      let worst = zip(read.pixels, smooth.pixels).map { abs(Int($0) - Int($1)) }.max()!
      #expect(worst <= 12)
    }
  }

  @Test func `a lower quality makes a smaller file`() throws {
    let picture = Fixtures.picture(64, 64)
    let sizes = try [20, 75, 95, 100].map { try picture.encoded(.jpeg, quality: $0).count }
    #expect(sizes == sizes.sorted() && Set(sizes).count == 4)
  }

  @Test func `sides beyond the format are refused`() {
    #expect(throws: DataError.self) { try Image(width: 65_501, height: 1).encoded(.jpeg) }
  }
}

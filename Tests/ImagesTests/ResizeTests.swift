import Images
import Testing

/// A shrink or an enlargement.
struct SizeChange: Sendable, CustomStringConvertible {
  var from: (width: Int, height: Int)
  var to: (width: Int, height: Int)

  init(_ width: Int, _ height: Int, to newWidth: Int, _ newHeight: Int) {
    from = (width, height)
    to = (newWidth, newHeight)
  }

  var description: String { "\(from.width) x \(from.height) to \(to.width) x \(to.height)" }
}

@Suite struct ResizeTests {
  /// 31 x 90 to 23 x 11 is a case where Pillow 13 resamples columns first.
  private static let changes = [
    SizeChange(37, 37, to: 32, 32), SizeChange(61, 45, to: 43, 32), SizeChange(21, 21, to: 32, 32),
    SizeChange(64, 48, to: 21, 16), SizeChange(1, 1, to: 5, 3), SizeChange(5, 3, to: 1, 1),
    SizeChange(40, 40, to: 40, 13), SizeChange(40, 40, to: 13, 40), SizeChange(31, 90, to: 23, 11),
    SizeChange(90, 31, to: 11, 23), SizeChange(7, 9, to: 50, 80), SizeChange(100, 2, to: 3, 2),
  ]

  /// Checksums of what Pillow 13.0.0 makes of `Fixtures.picture` by these changes:
  /// `Image.fromarray(noise).resize(size, filter)`.
  private static let pillow: [ResamplingFilter: [UInt64]] = [
    .box: [
      0xef86_78d1_8555_d9b5, 0x9585_d727_e121_6da7, 0x1edf_d415_44d3_acf1, 0x312c_767b_af1e_15d0,
      0x67f8_85d0_c2fc_1159, 0xc079_6019_8097_da23, 0x5d9e_fe58_5fdc_b19d, 0x0cef_dd76_7b39_1a96,
      0x6bb8_2ab5_5c80_9f92, 0x9d7b_76c2_09a5_1afe, 0x1272_3dc1_ada8_fdd3, 0x5e90_e030_edc4_0c34,
    ],
    .bilinear: [
      0x7b2a_4bc3_95e4_b60d, 0x5ae3_f9d9_13e2_cb23, 0xadde_3442_bb63_834a, 0xac95_7171_648f_92b0,
      0x67f8_85d0_c2fc_1159, 0xc4ef_f119_81ed_bbcc, 0xbbb6_ab9e_c01f_9f5b, 0xab46_5a2b_7017_8f6c,
      0xbf52_c0c7_e2cc_1651, 0xe3d6_6d57_7c8a_97df, 0x023b_9cad_2dd0_7eab, 0xf9e6_aabb_d082_4a4d,
    ],
    .bicubic: [
      0xca87_4f64_797b_5f78, 0x26eb_2233_0397_7114, 0x7972_1ed5_381c_ba34, 0xfaef_5c32_314e_c384,
      0x67f8_85d0_c2fc_1159, 0xc071_a019_8090_7535, 0x9f6d_30b7_93f8_4ec9, 0xf3d4_2350_35c6_a3da,
      0x788c_31c1_fb12_e5c3, 0xceb5_3c68_35d3_73fe, 0x3f1e_c893_5d45_6ebe, 0x7c3d_74fc_9c02_b629,
    ],
    .lanczos: [
      0xc7cf_eeb7_9279_ec22, 0x4092_a7ad_f864_26cc, 0xf135_eed8_63b0_10a0, 0x0a9d_a016_75d5_a2a0,
      0x67f8_85d0_c2fc_1159, 0xc074_fe19_8093_4ac6, 0x9690_7e5c_0c64_3e4c, 0x9ac6_576e_9c85_35a9,
      0xe5ab_3323_f60d_4f0a, 0x08e8_c1f3_95c0_4de5, 0x374b_c17e_41fa_5d4d, 0x7294_efdd_eebc_9e9d,
    ],
  ]

  @Test(arguments: ResamplingFilter.allCases, Array(zip(changes, 0...)))
  func `every bit is Pillow's`(filter: ResamplingFilter, change: (SizeChange, Int)) throws {
    let (from, to) = (change.0.from, change.0.to)
    let resized = Fixtures.picture(from.width, from.height)
      .resized(width: to.width, height: to.height, filter: filter)
    #expect((resized.width, resized.height) == to)
    #expect(Fixtures.hash(resized.pixels) == Self.pillow[filter]?[change.1])
  }

  @Test(arguments: ResamplingFilter.allCases, changes)
  func `a part is the same as a crop of the whole`(filter: ResamplingFilter, change: SizeChange) {
    let picture = Fixtures.picture(change.from.width, change.from.height)
    let (width, height) = change.to
    let whole = picture.resized(width: width, height: height, filter: filter)
    for (columns, rows) in [
      (0..<1, 0..<1), (width - 1..<width, height - 1..<height), (width / 3..<width, 0..<height),
      (0..<width, height / 2..<height), (width / 4..<width / 4 + 1, height / 3..<height),
    ] {
      let part = picture.resized(width: width, height: height, filter: filter, columns: columns, rows: rows)
      #expect(
        part
          == whole.cropped(
            x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count))
    }
  }

  @Test(arguments: ResamplingFilter.allCases)
  func `one colour stays that colour, and the same size the same picture`(filter: ResamplingFilter) {
    let grey = Image(width: 13, height: 7, color: RGB(200, 1, 77))
    #expect(
      grey.resized(width: 40, height: 3, filter: filter)
        == Image(width: 40, height: 3, color: RGB(200, 1, 77)))
    let picture = Fixtures.picture(13, 7)
    #expect(picture.resized(width: 13, height: 7, filter: filter) == picture)
  }

  @Test(arguments: [
    (1024, 768, 256, 341, 256), (768, 1024, 256, 256, 341), (500, 333, 256, 384, 256), (100, 100, 32, 32, 32),
    (1, 1000, 4, 4, 4000), (3, 2, 7, 10, 7),
  ])
  func `the longer side follows the shorter one, truncated`(
    width: Int, height: Int, side: Int, newWidth: Int, newHeight: Int
  ) {
    #expect(Image.size(width: width, height: height, shortSide: side) == (newWidth, newHeight))
  }

  /// Checksums of guided-diffusion's `center_crop_arr` with Pillow 13.0.0.
  @Test(
    arguments: [
      (130, 97, 32, 0xfb48_c315_76e4_8716), (33, 70, 16, 0xc5c0_3903_4cf6_b123),
      (20, 20, 32, 0xb539_e6a7_e4e2_73ac),
      (9, 200, 4, 0x6d15_a09d_6643_bfea),
    ] as [(Int, Int, Int, UInt64)])
  func `a centre crop has the bits of the reference`(width: Int, height: Int, size: Int, hash: UInt64) {
    let crop = Fixtures.picture(width, height).centerCropped(size: size)
    #expect((crop.width, crop.height) == (size, size))
    #expect(Fixtures.hash(crop.pixels) == hash)
  }

  @Test func `a thin picture is cropped without making the whole enlargement`() {
    let crop = Fixtures.picture(1, 20_000).centerCropped(size: 512)
    #expect((crop.width, crop.height) == (512, 512))
  }
}

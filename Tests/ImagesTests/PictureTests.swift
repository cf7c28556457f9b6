import Base
import Images
import Testing

@Suite struct PictureTests {
  private let palette = Palette(colors: [.black, RGB(200, 0, 0), RGB(255, 255, 0)])

  @Test func `an overlay mixes colours, hides labels and draws one line between classes`() {
    let picture = Image(width: 6, height: 4, color: RGB(100, 100, 100))
    // Columns: 1 1 1 2 2 ignored.
    let mask = LabelMask(width: 6, height: 4, labels: (0..<24).map { [1, 1, 1, 2, 2, 255][$0 % 6] })
    let overlay = picture.overlay(mask: mask, palette: palette, opacity: 0.5)
    #expect(overlay[0, 1] == RGB(150, 50, 50))
    #expect(overlay[3, 1] == RGB(178, 178, 50))
    #expect(overlay[5, 1] == RGB(100, 100, 100))
    // Yellow is light, so its line is dark.
    #expect(overlay[2, 1] == RGB(102, 102, 0) && overlay[4, 1] == RGB(102, 102, 0))
    let plain = picture.overlay(mask: mask, palette: palette, opacity: 0.5, drawsBorders: false)
    #expect(plain[2, 1] == RGB(150, 50, 50))
    #expect(picture.overlay(mask: mask, palette: palette, hidden: [1, 2, 255]) == picture)
  }

  @Test func `a heat map spans the finite numbers and greys out what is none`() {
    let values: [Float] = [0, 5, 10, .nan, .infinity, -.infinity]
    let picture = Image(heatmap: values, width: 3, height: 2)
    let map = ColorMap.magma
    #expect(picture[0, 0] == map.color(at: 0) && picture[2, 0] == map.color(at: 1))
    #expect(picture[0, 1] == RGB(128, 128, 128))
    #expect(picture[1, 1] == map.color(at: 1) && picture[2, 1] == map.color(at: 0))
    let fixed = Image(heatmap: values, width: 3, height: 2, range: 5...6, map: .viridis)
    #expect(fixed[0, 0] == ColorMap.viridis.color(at: 0) && fixed[2, 0] == ColorMap.viridis.color(at: 1))
  }

  @Test(
    arguments: [
      [1, 1], [.nan, .nan], [.infinity, .infinity], [-.greatestFiniteMagnitude, .greatestFiniteMagnitude],
    ] as [[Float]])
  func `a heat map of odd numbers is still a picture`(values: [Float]) {
    #expect(Image(heatmap: values, width: 2, height: 1).pixels.count == 6)
  }

  @Test func `a contact sheet holds the pictures at their places`() throws {
    var sheet = ContactSheet(columns: 2, margin: 3, zoom: 2)
    let pictures = [Fixtures.picture(5, 4), Fixtures.picture(7, 2), Fixtures.picture(3, 3)]
    for picture in pictures { sheet.append(picture) }
    let image = try sheet.image()
    #expect((image.width, image.height) == (3 + 10 + 3 + 14 + 3, 3 + 8 + 3 + 6 + 3))
    #expect(image.cropped(x: 3, y: 3, width: 10, height: 8) == pictures[0].magnified(2))
    #expect(image.cropped(x: 16, y: 3, width: 14, height: 4) == pictures[1].magnified(2))
    #expect(image.cropped(x: 5, y: 14, width: 6, height: 6) == pictures[2].magnified(2))
    #expect(image[0, 0] == .white && image[20, 20] == .white)
  }

  @Test func `titles and captions are inked beside the pictures and widen narrow columns`() throws {
    var sheet = ContactSheet(columns: 1, columnTitles: ["mIoU"], margin: 4, textScale: 1)
    sheet.append(Image(width: 2, height: 2), caption: "class 12: été")
    let image = try sheet.image()
    #expect(image.width == 4 + 13 * 6 - 1 + 4)
    #expect(image.height == 4 + 9 + 4 + 2 + 2 + 9 + 4)
    let inked = (0..<image.height).map { y in (0..<image.width).contains { image[$0, y] == sheet.ink } }
    #expect(inked[4..<11].allSatisfy { $0 } && inked[21..<28].allSatisfy { $0 })
    #expect(!inked[0] && !inked[18])
  }

  @Test func `a sheet without pictures, or too large, is refused`() {
    #expect(throws: DataError.self) { try ContactSheet(columns: 3, columnTitles: ["a"]).image() }
    var sheet = ContactSheet(columns: 2, zoom: 1 << 20)
    for _ in 0..<2 { sheet.append(Image(width: 9, height: 9)) }
    #expect(throws: DataError.self) { try sheet.image() }
  }
}

import Base
import Images
import Testing

@Suite struct PaletteTests {
  @Test func `distinct colours are distinct, start with black, and stay when classes are added`() {
    let all = Palette.distinct(count: 256).colors
    #expect(Set(all).count == 256)
    #expect(all[0] == .black)
    for count in [1, 2, 21, 34, 255] {
      #expect(Palette.distinct(count: count).colors == Array(all.prefix(count)))
    }
  }

  @Test func `distinct colours are the same on all machines`() {
    let bytes = Palette.distinct(count: 256).colors.flatMap { [$0.red, $0.green, $0.blue] }
    #expect(Fixtures.hash(bytes) == 709_703_820_620_265_937)
  }

  @Test func `colours are read in any of the usual ways`() throws {
    let palette = try Palette(parsing: "#000000, ff8000\n#0000FF;#7f7f7f\t")
    #expect(palette.colors == [.black, RGB(255, 128, 0), RGB(0, 0, 255), RGB(127, 127, 127)])
    #expect(palette[1] == RGB(255, 128, 0) && palette[200] == .black)
    #expect(try Palette(parsing: palette.colors.map(\.description).joined(separator: " ")) == palette)
  }

  @Test(arguments: [
    "", " , ", "#12345", "#1234567", "red", "#12345g", "#+12345",
    "#１２３４５６", "##12345",
  ])
  func `other texts are refused`(text: String) throws {
    let error = try #require(throws: DataError.self) { try Palette(parsing: text, name: "--palette") }
    #expect(error.kind == .invalidArgument && error.file == "--palette")
  }

  @Test func `more than 256 colours are refused`() {
    let text = Array(repeating: "#102030", count: 257).joined(separator: ",")
    #expect(throws: DataError.self) { try Palette(parsing: text) }
  }

  @Test(arguments: ColorMap.allCases)
  func `a colour map grows lighter from end to end`(map: ColorMap) {
    let lightness = (0...100).map { step in
      let color = map.color(at: Float(step) / 100)
      return 0.2126 * Double(color.red) + 0.7152 * Double(color.green) + 0.0722 * Double(color.blue)
    }
    #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $1 > $0 - 1 })
    #expect(map.color(at: -3) == map.color(at: 0) && map.color(at: .infinity) == map.color(at: 1))
  }
}

import Base
import Images
import TestSupport
import Testing

/// Masks as annotation tools write them.
@Suite struct MaskKindTests {
  private let palette = Palette(colors: [.black, RGB(128, 0, 0), RGB(0, 128, 0)])

  private func colored(_ colors: [RGB], alpha: Int? = nil) -> [UInt8] {
    PNGFile(
      width: colors.count, height: 1, colorType: alpha == nil ? .rgb : .rgba,
      samples: colors.flatMap { [Int($0.red), Int($0.green), Int($0.blue)] + (alpha.map { [$0] } ?? []) }
    ).bytes
  }

  private func read(
    _ bytes: [UInt8], _ palette: Palette? = nil
  ) throws -> (labels: [UInt8], kinds: [Notice.Kind]) {
    let notices = Notices()
    let mask = try LabelMask(decoding: bytes, name: "m.png", palette: palette, notices: notices)
    return (mask.labels, notices.all.map(\.kind))
  }

  private func refusal(_ bytes: [UInt8], _ palette: Palette? = nil) throws -> DataError {
    let error = try #require(throws: DataError.self) { try read(bytes, palette) }
    #expect(error.file == "m.png" && error.isAboutContent)
    return error
  }

  private func wide(_ values: [Int], width: Int) -> [UInt8] {
    PNGFile(
      width: width, height: values.count / width, colorType: .grey, bitDepth: 16, samples: values
    ).bytes
  }

  @Test func `16-bit labels are read when they fit`() throws {
    #expect(try read(wide([0, 1, 7, 255], width: 2)).labels == [0, 1, 7, 255])
    #expect(try read(wide([0, 1, 7, 255], width: 2)).kinds.isEmpty)
    let ignored = try read(wide([0, 3, 65_535, 1], width: 4))
    #expect(ignored.labels == [0, 3, 255, 1] && ignored.kinds == [.guessed])
    for value in [256, 300, 4095, 65_534] {
      let error = try refusal(wide([0, 1, 2, 3, 65_535, value], width: 3))
      #expect(error.item == "pixel (2, 1)" && error.found == "\(value)")
    }
    #expect(try refusal(wide([0, 257, 514, 0], width: 2)).found.contains("257"))
    let alpha = PNGFile(
      width: 2, height: 1, colorType: .greyAlpha, bitDepth: 16, samples: [4, 65_535, 5, 0]
    ).bytes
    #expect(try read(alpha).labels == [4, 5])
    #expect(try read(alpha).kinds == [.changed])
  }

  @Test func `alpha of grey labels is dropped with a notice unless all is opaque`() throws {
    for (alpha, kinds) in [(255, []), (0, [.changed])] as [(Int, [Notice.Kind])] {
      let file = PNGFile(width: 2, height: 1, colorType: .greyAlpha, samples: [1, 255, 2, alpha])
      #expect(try read(file.bytes).labels == [1, 2])
      #expect(try read(file.bytes).kinds == kinds)
    }
  }

  @Test func `colours of classes are their labels`() throws {
    let colors = palette.colors + [palette.colors[1]]
    #expect(try read(colored(colors), palette).labels == [0, 1, 2, 1])
    #expect(try read(colored(colors), palette).kinds.isEmpty)
    #expect(try read(colored(colors, alpha: 255), palette).labels == [0, 1, 2, 1])
    #expect(try read(colored(colors, alpha: 255), palette).kinds.isEmpty)
    #expect(try read(colored(colors, alpha: 0), palette).labels == [0, 1, 2, 1])
    #expect(try read(colored(colors, alpha: 0), palette).kinds == [.changed])
  }

  @Test func `a colour of no class is named`() throws {
    let near = colored(palette.colors + [RGB(128, 1, 0), RGB(9, 9, 9), RGB(128, 1, 0)])
    let error = try refusal(near, palette)
    #expect(error.item == "pixel (3, 0)")
    #expect(
      error.found == "#800100, one of 2 other colours in the file (--nearest-colors takes the nearest)")
    #expect(error.expected.contains("3 colours"))
    let unknown = try refusal(near)
    #expect(unknown.item == "pixel (1, 0)" && unknown.found == "#800000, one of 5 colours in the file")
  }

  @Test func `a colour of two classes tells nothing`() throws {
    let shared = Palette(colors: [.black, .white, .white])
    #expect(try read(colored([.black, .black]), shared).labels == [0, 0])
    #expect(try refusal(colored([.black, .white]), shared).item == "pixel (1, 0)")
  }

  @Test func `three equal channels are grey labels`() throws {
    let grey = colored([.black, RGB(1, 1, 1), RGB(2, 2, 2), .white])
    for palette in [nil, palette] {
      #expect(try read(grey, palette).labels == [0, 1, 2, 255])
      #expect(try read(grey, palette).kinds == [.guessed])
    }
    // Unless all of them are colours of classes.
    let blackAndWhite = Palette(colors: [.white, .black])
    #expect(try read(colored([.black, .white]), blackAndWhite).labels == [1, 0])
    #expect(try read(colored([.black, .white]), blackAndWhite).kinds.isEmpty)
  }

  @Test func `an indexed mask whose colours have another order is suspicious`() throws {
    func indexed(_ order: [Int]) -> [UInt8] {
      var file = PNGFile(width: 2, height: 1, colorType: .indexed, samples: [0, 1])
      file.palette = order.flatMap { label -> [UInt8] in
        let color = label < 3 ? palette.colors[label] : RGB(9, 9, 9)
        return [color.red, color.green, color.blue]
      }
      return file.bytes
    }
    #expect(try read(indexed([1, 0, 2]), palette).labels == [0, 1])
    #expect(try read(indexed([1, 0, 2]), palette).kinds == [.suspicious])
    #expect(try read(indexed([1, 0, 2])).kinds.isEmpty)
    #expect(try read(indexed([0, 1, 2]), palette).kinds.isEmpty)
    #expect(try read(indexed([0, 3, 1]), palette).kinds.isEmpty)
    // Colours of labels that no pixel has do not count.
    #expect(try read(indexed([0, 1, 1]), palette).kinds.isEmpty)
  }

  @Test(arguments: [PNGFile.ColorType.rgb, .rgba])
  func `colours of 16 bits are refused`(type: PNGFile.ColorType) throws {
    let file = PNGFile(
      width: 1, height: 1, colorType: type, bitDepth: 16, samples: Array(repeating: 0, count: type.channels))
    #expect(try refusal(file.bytes, palette).item == "bit depth")
  }
}

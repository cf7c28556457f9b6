import Images
import Testing

@Suite struct ImageTests {
  @Test(arguments: [Normalization.ddpm, .ddpmTraining])
  func `a picture survives the way to a tensor and back, but for truncation`(normalization: Normalization) {
    let picture = Fixtures.picture(9, 5)
    let tensor = picture.tensor(normalization: normalization)
    #expect(tensor.shape == [3, 5, 9])
    let back = Image(tensor: tensor)
    #expect(zip(back.pixels, picture.pixels).allSatisfy { $0 == $1 || $0 + 1 == $1 })
  }

  @Test func `channels come first and rows before columns`() {
    var picture = Image(width: 3, height: 2)
    picture[2, 1] = RGB(255, 0, 51)
    let tensor = picture.tensor(normalization: .ddpm)
    #expect(tensor[0, 1, 2] == 1 && tensor[1, 1, 2] == -1 && tensor[0, 0, 0] == -1)
    #expect(abs(tensor[2, 1, 2] + 0.6) < 1e-6)
  }

  @Test(
    arguments: [
      (-1, 0), (1, 255), (0, 127), (0.9999, 254), (2, 255), (-7, 0), (.infinity, 255), (-.infinity, 0),
      (.nan, 0),
    ] as [(Float, UInt8)])
  func `numbers become samples by truncation`(x: Float, sample: UInt8) {
    #expect(Image.sample(fromSigned: x) == sample)
  }

  @Test func `pasting leaves away what sticks out`() {
    let red = Image(width: 3, height: 3, color: RGB(255, 0, 0))
    for (x, y, count) in [(0, 0, 9), (-1, -1, 4), (3, 2, 2), (5, 5, 0), (-9, 0, 0), (1, -3, 0)] {
      var picture = Image(width: 4, height: 4)
      picture.paste(red, x: x, y: y)
      let painted = (0..<16).filter { picture[$0 % 4, $0 / 4].red == 255 }
      #expect(painted.count == count)
      #expect(painted.allSatisfy { (x..<x + 3).contains($0 % 4) && (y..<y + 3).contains($0 / 4) })
    }
  }

  @Test func `magnifying repeats pixels`() {
    let picture = Fixtures.picture(4, 3)
    let large = picture.magnified(3)
    #expect((large.width, large.height) == (12, 9))
    #expect((0..<108).allSatisfy { large[$0 % 12, $0 / 12] == picture[$0 % 12 / 3, $0 / 12 / 3] })
  }
}

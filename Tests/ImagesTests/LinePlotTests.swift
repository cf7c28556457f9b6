import Images
import Testing

struct LinePlotTests {
  /// Rows that the line crosses in a column, from the top.
  private func line(_ image: Image, column: Int, color: RGB) -> [Int] {
    (0..<image.height).filter { image[column, $0] == color }
  }

  @Test func fallingNumbersFall() {
    let plot = LinePlot(points: (0...10).map { (Double($0), 10 - Double($0)) }, title: "loss")
    let image = plot.image()
    #expect(image.width == plot.width && image.height == plot.height)
    let columns = (0..<image.width).filter { !line(image, column: $0, color: plot.line).isEmpty }
    #expect(columns.count > image.width / 2 && columns == Array(columns.first!...columns.last!))
    let (first, last) = (columns.first!, columns.last!)
    #expect(
      line(image, column: first, color: plot.line).first! + image.height / 2
        < line(image, column: last, color: plot.line).last!)
  }

  @Test(arguments: [[], [(1.0, 2.0)], [(1, .nan), (2, .infinity)], [(0, 3), (1, 3)], [(0, 1), (1, 1e30)]])
  func anyNumbersCanBeDrawn(points: [(Double, Double)]) {
    for isLogarithmic in [false, true] {
      let image = LinePlot(points: points, isLogarithmic: isLogarithmic).image()
      #expect(image.width == 640 && image.height == 360)
    }
  }

  /// On a logarithmic axis the geometric mean of two values stands half-way between them.
  @Test func equalFactorsHaveEqualHeights() {
    func heights(isLogarithmic: Bool) -> [Int] {
      let plot = LinePlot(
        points: [(0, 1), (1, 1), (1, 0.1), (2, 0.1), (2, 0.01), (3, 0.01), (4, 0)].map { ($0.0, $0.1) },
        isLogarithmic: isLogarithmic)
      let image = plot.image()
      let columns = (0..<image.width).filter { !line(image, column: $0, color: plot.line).isEmpty }
      return [columns.first!, (columns.first! + columns.last!) / 2, columns.last!].map {
        line(image, column: $0, color: plot.line).first!
      }
    }
    let places = heights(isLogarithmic: true)
    #expect(abs(places[0] + places[2] - 2 * places[1]) <= 2 && places[0] < places[1])
    let plain = heights(isLogarithmic: false)
    #expect(plain[1] - plain[0] > 8 * (plain[2] - plain[1]))
  }

  /// Either axis goes from 1 to 100; between the ends, equal factors have other numbers than equal differences.
  @Test func logarithmicAxisIsLabelledWithTheValues() {
    func labels(isLogarithmic: Bool) -> [[RGB]] {
      let plot = LinePlot(points: [(0, 1), (1, 100)], isLogarithmic: isLogarithmic)
      let image = plot.image()
      let lines = (0..<image.height).filter { image[image.width / 4, $0] == plot.grid }
      return lines.map { y in (y - 8...y + 8).flatMap { row in (0..<88).map { image[$0, row] } } }
    }
    let (logarithmic, plain) = (labels(isLogarithmic: true), labels(isLogarithmic: false))
    #expect(logarithmic.count == 5 && Set(logarithmic).count == 5)
    #expect(logarithmic.first == plain.first && logarithmic.last == plain.last)
    #expect((1..<4).allSatisfy { logarithmic[$0] != plain[$0] })
  }
}

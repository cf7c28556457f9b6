import PixelClassifier
import Testing

@Suite("Filter by uncertainty")
struct UncertaintyFilterTests {
  @Test("drops the thirty most certain and most of the uncertain portion")
  func slice() {
    let scores = (0..<1000).map { Float(($0 * 7) % 1000) }
    let kept = picturesKept(byUncertainty: scores, portion: 0.1)
    #expect(kept.map { scores[$0] } == (30..<930).map(Float.init))
  }

  @Test("keeps nothing when the portion is thirty pictures or fewer", arguments: [0, 0.05, 0.1])
  func nothing(portion: Double) {
    #expect(picturesKept(byUncertainty: (0..<300).map(Float.init), portion: portion).isEmpty)
  }

  @Test("few pictures and a portion of all leave nothing")
  func few() {
    #expect(picturesKept(byUncertainty: [3, 1, 2], portion: 1).isEmpty)
    #expect(picturesKept(byUncertainty: [], portion: 1).isEmpty)
    #expect(picturesKept(byUncertainty: (0..<31).map(Float.init), portion: 1).isEmpty)
  }

  @Test("equal scores keep the order of the pictures")
  func ties() {
    #expect(picturesKept(byUncertainty: [Float](repeating: 1, count: 100), portion: 0.4) == Array(30..<90))
  }

  @Test("agrees with the reference", arguments: ["filter_large", "filter_300"])
  func reference(id: String) throws {
    let kept = picturesKept(byUncertainty: try Golden.tensor("\(id)/in/scores").elements, portion: 0.1)
    #expect(kept == (try Golden.ints("\(id)/out/kept_index_in_order")))
  }
}

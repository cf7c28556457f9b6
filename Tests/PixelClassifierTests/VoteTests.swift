import Foundation
import PixelClassifier
import TensorCore
import TestSupport
import Testing

@Suite("Votes and uncertainty")
struct VoteTests {
  @Test("the label of most voters wins, the smallest of equals")
  func mode() {
    #expect(modeVote([[3, 1, 0], [3, 2, 255], [1, 0, 255]]) == [3, 0, 255])
    #expect(modeVote([[5, 9]]) == [5, 9])
    #expect(modeVote([[2], [1], [2], [1]]) == [1])
    #expect(modeVote([[], []]) == [])
  }

  @Test("votes are the reference's", arguments: [2, 4, 10])
  func reference(voters: Int) throws {
    let votes = try Golden.labels("vote_\(voters)_models/in/votes")
    let byVoter = (0..<voters).map { voter in
      stride(from: voter, to: votes.count, by: voters).map { votes[$0] }
    }
    #expect(modeVote(byVoter) == (try Golden.labels("vote_\(voters)_models/out/labels")))
  }

  @Test("a prediction from logits votes like its members", arguments: [1, 2, 5, 21, 256], [1, 2, 10])
  func logitsVote(classes: Int, members: Int) {
    var random = Philox(seed: 20)
    // Few distinct values, so that equal logits and equal votes are common.
    let logits = Tensor(
      random.normal(shape: [members * 300 * classes]).elements.map { ($0 * 2).rounded() },
      shape: [members, 300, classes])
    let votes = (0..<members).map { member in
      (0..<300).map { pixel -> UInt8 in
        let row = (0..<classes).map { logits[member, pixel, $0] }
        return UInt8(row.firstIndex(of: row.max()!)!)
      }
    }
    let prediction = PixelPrediction(logits: logits, height: 20, width: 15)
    #expect(prediction.labels == modeVote(votes))
  }

  @Test(
    "probabilities are averaged, and uncertainty is their Jensen-Shannon divergence", arguments: [1, 3, 10])
  func uncertainty(members: Int) {
    var random = Philox(seed: 21)
    let (pixels, classes) = (35, 7)
    let logits = random.normal(shape: [members, pixels, classes]) * 3
    let prediction = PixelPrediction(logits: logits, height: 5, width: 7, withProbabilities: true)
    let softmaxes = (0..<members).map { naiveSoftmax(NaiveTensor(logits.slice($0))) }
    func entropy(_ p: [Double]) -> Double { -p.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) } }
    for pixel in 0..<pixels {
      let rows = softmaxes.map { softmax in (0..<classes).map { softmax[pixel, $0] } }
      let mean = (0..<classes).map { k in rows.reduce(0) { $0 + $1[k] } / Double(members) }
      let expected = entropy(mean) - rows.reduce(0) { $0 + entropy($1) } / Double(members)
      #expect(abs(Double(prediction.uncertainty[pixel]) - expected) < 2e-6)
      for k in 0..<classes {
        #expect(abs(Double(prediction.probabilities![k, pixel / 7, pixel % 7]) - mean[k]) < 1e-6)
      }
    }
  }

  @Test("members that contradict each other with certainty disagree by ln M, whatever the size of the logits")
  func extremes() {
    let certain = Tensor([1e4, 0, 0, 1e4], shape: [2, 1, 2])
    let apart = PixelPrediction(logits: certain, height: 1, width: 1)
    #expect(abs(Double(apart.uncertainty[0]) - log(2.0)) < 1e-6)
    #expect(apart.labels == [0])
    let agreed = PixelPrediction(logits: Tensor([1e4, 0, 1e4, 0], shape: [2, 1, 2]), height: 1, width: 1)
    #expect(abs(agreed.uncertainty[0]) < 1e-6)
  }

  @Test("a picture's score is the mean of its most uncertain tenth, of all pixels below ten")
  func score() {
    #expect(imageUncertaintyScore((0..<20).map(Float.init)) == 18.5)
    #expect(imageUncertaintyScore((0..<19).map(Float.init)) == 18)
    #expect(imageUncertaintyScore([1, 2, 6]) == 3)
    #expect(imageUncertaintyScore([]) == 0)
  }

  @Test(
    "scores are the reference's",
    arguments: [("uncertainty_300", 20, 15, 1.69e-6), ("uncertainty_tiny", 2, 4, 2.31e-7)])
  func referenceScore(id: String, height: Int, width: Int, tolerance: Double) throws {
    let logits = try Golden.tensor("\(id)/in/logits")
    let prediction = PixelPrediction(logits: logits, height: height, width: width)
    #expect(prediction.labels == (try Golden.labels("\(id)/out/labels")))
    let expected = Double(try Golden.tensor("\(id)/out/uncertainty").elements[0])
    #expect(abs(Double(prediction.imageUncertainty) - expected) <= tolerance)
  }
}

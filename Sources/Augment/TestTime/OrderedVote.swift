import Images

/// The label that most voters gave each pixel; of equals the one that comes first in the order of the voters.
///
/// Source: `test_time_aug_eval` of the report's code: the clean picture's mask votes first, and a vote for the ignore
/// label is none.
/// - Parameters:
///   - votes: masks of one size
///   - ignoreLabel: not counted; the result where nothing else was said
/// - Precondition: there is a mask, and all have the same size.
public func orderedVote(_ votes: [LabelMask], ignoreLabel: UInt8 = LabelMask.ignoreLabel) -> LabelMask {
  precondition(
    !votes.isEmpty && votes.allSatisfy { $0.width == votes[0].width && $0.height == votes[0].height },
    "votes of sizes \(votes.map { "\($0.width) x \($0.height)" })")
  var counts = [Int](repeating: 0, count: 256)
  let labels = votes[0].labels.indices.map { pixel in
    for voter in votes { counts[Int(voter.labels[pixel])] += 1 }
    var (winner, most) = (ignoreLabel, 0)
    for voter in votes {
      let label = voter.labels[pixel]
      if label != ignoreLabel && counts[Int(label)] > most { (winner, most) = (label, counts[Int(label)]) }
    }
    for voter in votes { counts[Int(voter.labels[pixel])] = 0 }
    return winner
  }
  return LabelMask(width: votes[0].width, height: votes[0].height, labels: labels)
}

import TensorCore

// M members, K classes, n pixels of a strip; logits and probabilities class by class: [K, n]

/// Votes, averaged probabilities and uncertainty out of the members' logits.
///
/// Everything is laid out class by class, so that loops run over pixels and become vector code.
struct EnsembleVotes {
  let members: Int
  let classes: Int

  /// PyTorch's `Categorical(probs:)` keeps probabilities this far from 0 and 1 before it takes logarithms.
  private static let probabilityMargin = Float.ulpOfOne

  /// The verdict on the pixels of a strip.
  ///
  /// - Parameters:
  ///   - pixels: their numbers in the picture
  ///   - output: where the verdict goes
  ///   - logits: writes the logits of a member, `[K, pixels.count]`
  func collect(
    pixels: Range<Int>, into output: PixelPrediction.Output,
    logits: (_ member: Int, _ into: UnsafeMutablePointer<Float>) -> Void
  ) {
    let n = pixels.count
    // logits [K, n], probabilities [K, n], votes [K, n], entropy [n], two rows to work in.
    withScratch(count: (3 * classes + 3) * n) { scratch in
      let (values, mean, votes) = (scratch, scratch + classes * n, scratch + 2 * classes * n)
      let (entropy, work) = (scratch + 3 * classes * n, scratch + (3 * classes + 1) * n)
      (scratch + classes * n).update(repeating: 0, count: (2 * classes + 1) * n)
      for member in 0..<members {
        logits(member, values)
        add(values, n, mean: mean, votes: votes, entropy: entropy, work: work)
      }
      if let counts = output.votes {
        for k in 0..<classes {
          (counts + k * output.pixels + pixels.lowerBound).update(from: votes + k * n, count: n)
        }
      }
      finishLabels(votes, n, into: output.labels + pixels.lowerBound)
      finishUncertainty(mean, entropy, n, work: work, into: output.uncertainty + pixels.lowerBound)
      if let probabilities = output.probabilities {
        for k in 0..<classes {
          (probabilities + k * output.pixels + pixels.lowerBound).update(from: mean + k * n, count: n)
        }
      }
    }
  }

  /// Adds one member: its softmax, its vote (the first of equal logits) and the entropy of its softmax.
  private func add(
    _ values: UnsafeMutablePointer<Float>, _ n: Int, mean: UnsafeMutablePointer<Float>,
    votes: UnsafeMutablePointer<Float>, entropy: UnsafeMutablePointer<Float>,
    work: UnsafeMutablePointer<Float>
  ) {
    let (largest, winner) = (work, work + n)
    for i in 0..<n {
      largest[i] = values[i]
      winner[i] = 0
    }
    for k in 1..<max(classes, 1) {
      let (row, number) = (values + k * n, Float(k))
      for i in 0..<n {
        let isLarger = row[i] > largest[i]
        largest[i] = isLarger ? row[i] : largest[i]
        winner[i] = isLarger ? number : winner[i]
      }
    }
    for k in 0..<classes {
      let (row, count, number) = (values + k * n, votes + k * n, Float(k))
      for i in 0..<n {
        count[i] += winner[i] == number ? 1 : 0
        row[i] -= largest[i]
      }
    }
    // With d = logit - largest: softmax = exp(d) / Σ exp(d), entropy = ln Σ exp(d) - Σ softmax · d.
    let (sum, weighted) = (work, work + n)
    for i in 0..<n {
      sum[i] = 0
      weighted[i] = 0
    }
    for k in 0..<classes {
      let row = values + k * n
      for i in 0..<n {
        let power = fastExp(row[i])
        sum[i] += power
        weighted[i] += power * row[i]
        row[i] = power
      }
    }
    for i in 0..<n {
      let inverse = 1 / sum[i]
      entropy[i] += fastLog(sum[i]) - weighted[i] * inverse
      sum[i] = inverse / Float(members)
    }
    for k in 0..<classes {
      let (row, target) = (values + k * n, mean + k * n)
      for i in 0..<n { target[i] += row[i] * sum[i] }
    }
  }

  /// The class with most votes, the smallest of equals.
  private func finishLabels(
    _ votes: UnsafeMutablePointer<Float>, _ n: Int, into labels: UnsafeMutablePointer<UInt8>
  ) {
    for i in 0..<n { labels[i] = 0 }
    for k in 1..<max(classes, 1) {
      let (row, number) = (votes + k * n, UInt8(k))
      for i in 0..<n {
        let isMore = row[i] > votes[i]
        votes[i] = isMore ? row[i] : votes[i]
        labels[i] = isMore ? number : labels[i]
      }
    }
  }

  /// Entropy of the averaged probabilities less the averaged entropy.
  private func finishUncertainty(
    _ mean: UnsafePointer<Float>, _ entropy: UnsafePointer<Float>, _ n: Int,
    work: UnsafeMutablePointer<Float>,
    into uncertainty: UnsafeMutablePointer<Float>
  ) {
    let margin = Self.probabilityMargin
    let (sum, total) = (work, work + n)
    for i in 0..<n {
      sum[i] = 0
      total[i] = 0
    }
    for k in 0..<classes {
      let row = mean + k * n
      for i in 0..<n { sum[i] += row[i] }
    }
    for k in 0..<classes {
      let row = mean + k * n
      for i in 0..<n {
        let probability = row[i] / sum[i]
        total[i] -= probability * fastLog(min(max(probability, margin), 1 - margin))
      }
    }
    for i in 0..<n { uncertainty[i] = total[i] - entropy[i] / Float(members) }
  }
}

/// The label that most voters chose for each pixel, the smallest of equals (`torch.mode` over the models).
///
/// - Parameter votes: labels of N pixels from each voter
/// - Returns: N labels
/// - Precondition: there is a voter, and all voted on as many pixels.
public func modeVote(_ votes: [[UInt8]]) -> [UInt8] {
  precondition(
    !votes.isEmpty && votes.allSatisfy { $0.count == votes[0].count },
    "votes on \(votes.map(\.count)) pixels")
  var counts = [Int](repeating: 0, count: 256)
  return votes[0].indices.map { pixel in
    for voter in votes { counts[Int(voter[pixel])] += 1 }
    var winner = votes[0][pixel]
    for voter in votes {
      let (label, lead) = (voter[pixel], counts[Int(voter[pixel])] - counts[Int(winner)])
      if lead > 0 || (lead == 0 && label < winner) { winner = label }
    }
    for voter in votes { counts[Int(voter[pixel])] = 0 }
    return winner
  }
}

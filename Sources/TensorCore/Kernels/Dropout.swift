/// Inverted dropout: zeroes each element with probability p, scales the rest by 1/(1−p).
///
/// The gradient at the input is the same function of the gradient at the output, with the same generator. The bits do
/// not depend on the number of threads.
/// - Precondition: the probability is at least 0 and below 1.
/// - Source: Srivastava et al., "Dropout", JMLR 2014
public func dropout(_ x: Tensor, probability: Float, random: Philox) -> Tensor {
  precondition(probability >= 0 && probability < 1, "dropout of \(probability)")
  let (count, block) = (x.count, 4096)
  let scale = 1 / (1 - probability)
  return Tensor(unsafeUninitializedShape: x.shape) { y in
    x.withUnsafeBufferPointer { x in
      let (from, to) = (x.baseAddress!, y.baseAddress!)
      parallelFor(count, inBlocksOf: block) { range in
        var random = random.split(UInt64(range.lowerBound / block))
        for i in range { to[i] = random.uniform() < probability ? 0 : from[i] * scale }
      }
    }
  }
}

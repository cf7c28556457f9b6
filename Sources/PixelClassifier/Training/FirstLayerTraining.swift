import TensorCore

// x: [B, D] features of a batch   z: [B, h1]   weight: [D, h1], the transpose of the checkpoint's

/// The first linear layer of a classifier under training. It holds 99 % of the parameters and of the work.
///
/// The weight is cut into tiles of some rows, and a tile goes through gradient, Adam and the forward pass
/// of the next batch while it lies in the cache: the gradient of the whole weight is never stored, and
/// weight and moments are read and written once an iteration.
struct FirstLayerTraining {
  private let tiling: Tiling
  private var weight: Tensor
  private var bias: Tensor
  private var weightMean: Tensor
  private var weightSquare: Tensor
  private var biasMoments: AdamMoments

  /// - Parameters:
  ///   - initial: parameters to start from, weight `[h1, D]`
  ///   - batch: rows of every batch
  init(_ initial: LinearParameters, batch: Int) {
    tiling = Tiling(batch: batch, inputs: initial.weight.shape[1], outputs: initial.weight.shape[0])
    weight = transposed(initial.weight)
    bias = initial.bias
    weightMean = Tensor(zeros: weight.shape)
    weightSquare = Tensor(zeros: weight.shape)
    biasMoments = AdamMoments(shape: bias.shape)
  }

  /// Parameters as in a checkpoint, weight `[h1, D]`.
  var parameters: LinearParameters { LinearParameters(weight: transposed(weight), bias: bias) }

  /// `z = x · weight + bias`.
  func forward(_ x: Tensor) -> Tensor {
    withPointers(weight) { weight in tiling.forward(x, weight: weight, bias: bias) { _ in } }
  }

  /// Takes an Adam step and runs the next batch through the new parameters.
  ///
  /// - Parameters:
  ///   - gradient: at z, `[B, h1]`
  ///   - x: the batch that the gradient belongs to
  ///   - next: the batch to run forward, if there is another
  /// - Returns: z of `next`
  mutating func update(gradient: Tensor, x: Tensor, optimizer: Adam, next: Tensor?) -> Tensor? {
    optimizer.update(&bias, gradient: sumOfRows(gradient), moments: &biasMoments)
    let step = AdamStep(optimizer, number: biasMoments.step)
    let (tiling, bias) = (tiling, bias)
    return withMutablePointers(&weight, &weightMean, &weightSquare) { weight, mean, square in
      let updateTile = { (rows: Range<Int>) in
        let (offset, count) = (rows.lowerBound * tiling.outputs, rows.count * tiling.outputs)
        withScratch(count: count) { tileGradient in
          tiling.weightGradient(gradient, x: x, rows: rows, into: tileGradient)
          step.update(
            weight + offset, gradient: tileGradient, mean: mean + offset, square: square + offset,
            count: count)
        }
      }
      if let next { return tiling.forward(next, weight: weight, bias: bias, beforeTile: updateTile) }
      tiling.forEachTile { _, rows in updateTile(rows) }
      return nil
    }
  }
}

/// How the weight is cut up, which depends on its shape alone, and the products of one tile.
private struct Tiling {
  let batch: Int
  let inputs: Int
  let outputs: Int
  private let tileRows: Int
  /// Rows of the weight that one thread takes at a time: a whole number of tiles.
  private let blockRows = 384

  init(batch: Int, inputs: Int, outputs: Int) {
    self.batch = batch
    self.inputs = inputs
    self.outputs = outputs
    // OpenBLAS multiplies small matrices without packing them first, which is faster, up to 10^6
    // multiplications (`sgemm_small_matrix_permit`).
    tileRows = [192, 128, 96, 64, 48].first { $0 * batch * outputs <= 800_000 } ?? 32
  }

  /// Calls `body` for every tile with the number of its block. Blocks run in parallel, the tiles of a
  /// block one after the other.
  func forEachTile(_ body: (_ block: Int, _ rows: Range<Int>) -> Void) {
    parallelFor(inputs, inBlocksOf: blockRows) { block in
      for start in stride(from: block.lowerBound, to: block.upperBound, by: tileRows) {
        body(block.lowerBound / blockRows, start..<min(start + tileRows, block.upperBound))
      }
    }
  }

  /// `z = x · weight + bias`; `beforeTile` is called with the rows of each tile before they are used.
  func forward(
    _ x: Tensor, weight: UnsafePointer<Float>, bias: Tensor, beforeTile: (Range<Int>) -> Void
  ) -> Tensor {
    precondition(x.shape == [batch, inputs], "batch \(x.shape) of [\(batch), \(inputs)]")
    let blocks = (inputs + blockRows - 1) / blockRows
    let shares = Tensor(shape: [blocks, batch, outputs]) { shares in
      withPointers(x) { x in
        forEachTile { block, rows in
          beforeTile(rows)
          GEMM.multiply(
            Matrix(x + rows.lowerBound, rows: batch, columns: rows.count, stride: inputs),
            Matrix(weight + rows.lowerBound * outputs, rows: rows.count, columns: outputs),
            beta: rows.lowerBound == block * blockRows ? 0 : 1,
            into: MutableMatrix(shares + block * batch * outputs, rows: batch, columns: outputs))
        }
      }
    }
    return sum(shares, bias: bias)
  }

  private func sum(_ shares: Tensor, bias: Tensor) -> Tensor {
    let size = batch * outputs
    return Tensor(shape: [batch, outputs]) { z in
      withPointers(shares, bias) { share, bias in
        for row in 0..<batch { (z + row * outputs).update(from: bias, count: outputs) }
        for block in 0..<shares.shape[0] {
          let share = share + block * size
          for i in 0..<size { z[i] += share[i] }
        }
      }
    }
  }

  /// Gradient of some rows of the weight, `[rows.count, h1]`: `xᵀ · gradient`.
  func weightGradient(
    _ gradient: Tensor, x: Tensor, rows: Range<Int>, into result: UnsafeMutablePointer<Float>
  ) {
    withPointers(gradient, x) { gradient, x in
      GEMM.multiply(
        Matrix(x + rows.lowerBound, rows: batch, columns: rows.count, stride: inputs).transposed,
        Matrix(gradient, rows: batch, columns: outputs),
        into: MutableMatrix(result, rows: rows.count, columns: outputs))
    }
  }
}

import TensorCore

/// Loss and accuracy of one batch, before its update.
package struct BatchOutcome: Sendable, Equatable {
  /// Mean cross entropy in nats.
  package var loss: Float
  /// Share of the rows whose largest logit is that of the target, 0 to 1.
  package var accuracy: Float
}

/// One classifier under training: parameters, running statistics and the moments of the optimizer.
package struct MemberTraining {
  private var optimizer: Adam
  private let dropout: Float
  private let random: Philox
  private var first: FirstLayerTraining
  private var norm2: BatchNorm1dState
  private var linear3: LinearParameters
  private var norm5: BatchNorm1dState
  private var linear6: LinearParameters
  /// Moments of weight and bias of `norm2`, `linear3`, `norm5`, `linear6`.
  private var moments: [AdamMoments]
  private var batchesTracked: Int

  /// - Parameters:
  ///   - initial: where to start
  ///   - batch: rows of every batch, at least 2
  ///   - dropout: probability with which a hidden unit is dropped
  ///   - random: says which
  package init(
    _ initial: PixelMLP, batch: Int, optimizer: Adam, dropout: Float = 0, random: Philox = Philox(seed: 0)
  ) {
    self.optimizer = optimizer
    self.dropout = dropout
    self.random = random
    first = FirstLayerTraining(initial.linear0, batch: batch)
    norm2 = initial.norm2
    linear3 = initial.linear3
    norm5 = initial.norm5
    linear6 = initial.linear6
    batchesTracked = initial.batchesTracked
    let parameters = [
      norm2.weight, norm2.bias, linear3.weight, linear3.bias, norm5.weight, norm5.bias, linear6.weight,
      linear6.bias,
    ]
    moments = parameters.map { AdamMoments(shape: $0.shape) }
  }

  /// Learning rate of the next iterations.
  package var learningRate: Double {
    get { optimizer.learningRate }
    set { optimizer.learningRate = newValue }
  }

  /// The classifier as it stands.
  package var classifier: PixelMLP {
    PixelMLP(
      linear0: first.parameters, norm2: norm2, linear3: linear3, norm5: norm5, linear6: linear6,
      batchesTracked: batchesTracked)
  }

  /// One iteration on a batch.
  /// - Parameters:
  ///   - x: `[B, D]`
  ///   - targets: B classes
  package mutating func trainingStep(x: Tensor, targets: [Int]) -> BatchOutcome {
    let step = stepAfterFirstLayer(z: firstLayer(x), targets: targets)
    _ = stepOfFirstLayer(gradient: step.gradient, x: x, next: nil)
    return step.outcome
  }

  /// First layer of a batch, `[B, h1]`, as the next iteration needs it.
  func firstLayer(_ x: Tensor) -> Tensor { first.forward(x) }

  /// The step of the first layer, which ends an iteration, and the first layer of the next batch.
  /// - Parameters:
  ///   - gradient: at the first layer of the batch, `[B, h1]`
  ///   - x: the batch, `[B, D]`
  ///   - next: the next batch, if there is one
  mutating func stepOfFirstLayer(gradient: Tensor, x: Tensor, next: Tensor?) -> Tensor? {
    first.update(gradient: gradient, x: x, optimizer: optimizer, next: next)
  }

  /// The step of all other layers, which needs nothing of the batch but its first layer.
  /// - Parameters:
  ///   - z: first layer of the batch, `[B, h1]`
  ///   - targets: B classes
  /// - Returns: the outcome, and the gradient at `z`
  mutating func stepAfterFirstLayer(
    z: Tensor, targets: [Int]
  ) -> (outcome: BatchOutcome, gradient: Tensor) {
    let hidden1 = dropped(relu(z), layer: 0)
    let normed1 = batchNorm1dTraining(hidden1, state: &norm2)
    let hidden2 = dropped(relu(linear3(normed1.y)), layer: 1)
    let normed2 = batchNorm1dTraining(hidden2, state: &norm5)
    let logits = linear6(normed2.y)
    batchesTracked += 1

    let entropy = crossEntropy(logits, targets: targets)
    let g6 = linearBackward(entropy.logitsGradient, x: normed2.y, weight: linear6.weight)
    let g5 = batchNorm1dBackward(g6.x, saved: normed2.saved, weight: norm5.weight)
    let g3 = linearBackward(gradient(g5.x, beforeDropoutOf: hidden2), x: normed1.y, weight: linear3.weight)
    let g2 = batchNorm1dBackward(g3.x, saved: normed1.saved, weight: norm2.weight)

    optimizer.update(&norm2.weight, gradient: g2.weight, moments: &moments[0])
    optimizer.update(&norm2.bias, gradient: g2.bias, moments: &moments[1])
    optimizer.update(&linear3.weight, gradient: g3.weight, moments: &moments[2])
    optimizer.update(&linear3.bias, gradient: g3.bias, moments: &moments[3])
    optimizer.update(&norm5.weight, gradient: g5.weight, moments: &moments[4])
    optimizer.update(&norm5.bias, gradient: g5.bias, moments: &moments[5])
    optimizer.update(&linear6.weight, gradient: g6.weight, moments: &moments[6])
    optimizer.update(&linear6.bias, gradient: g6.bias, moments: &moments[7])
    return (
      BatchOutcome(loss: entropy.loss, accuracy: accuracy(logits, targets: targets)),
      gradient(g2.x, beforeDropoutOf: hidden1)
    )
  }

  /// Dropout after a ReLU, drawn anew for every batch and layer.
  private func dropped(_ hidden: Tensor, layer: UInt64) -> Tensor {
    guard dropout > 0 else { return hidden }
    return TensorCore.dropout(
      hidden, probability: dropout, random: random.split(UInt64(batchesTracked)).split(layer))
  }

  /// The gradient at the input of ReLU and dropout, from that at their output: both let it through where the output is
  /// above 0.
  private func gradient(_ gradient: Tensor, beforeDropoutOf output: Tensor) -> Tensor {
    let passed = reluBackward(gradient, output: output)
    return dropout > 0 ? passed * (1 / (1 - dropout)) : passed
  }

  private func accuracy(_ logits: Tensor, targets: [Int]) -> Float {
    let classes = logits.shape[1]
    let hits = withPointers(logits) { logits in
      targets.indices.count { row in
        argmax(logits + row * classes, count: classes) == targets[row]
      }
    }
    return Float(hits) / Float(targets.count)
  }
}

/// Position of the largest of `count` numbers, the first of equals.
func argmax(_ x: UnsafePointer<Float>, count: Int) -> Int {
  var best = 0
  for k in 1..<count where x[k] > x[best] { best = k }
  return best
}

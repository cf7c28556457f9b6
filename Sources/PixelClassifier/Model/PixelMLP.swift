import TensorCore

// x: [N, D] features of N pixels   logits: [N, K]   h1, h2: widths of the hidden layers

/// Weight and bias of a linear layer.
public struct LinearParameters: Sendable, Equatable {
  /// `[out, in]`
  public var weight: Tensor
  /// `[out]`
  public var bias: Tensor

  /// - Precondition: one bias for each row of the weight.
  public init(weight: Tensor, bias: Tensor) {
    precondition(
      weight.rank == 2 && bias.shape == [weight.shape[0]],
      "linear layer of weight \(weight.shape) and bias \(bias.shape)")
    self.weight = weight
    self.bias = bias
  }

  /// `[N, in]` to `[N, out]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    linear(x, weight: weight, bias: bias)
  }
}

/// The classifier of a single pixel: linear, ReLU, batch norm, linear, ReLU, batch norm, linear.
///
/// The numbers in the names are those of the reference's `layers.{number}`; 1 and 4 are the ReLUs.
/// Source: `pixel_classifier.py` of ddpm-segmentation (Baranchuk et al. 2022).
public struct PixelMLP: Sendable {
  /// `[h1, D]`
  public var linear0: LinearParameters
  public var norm2: BatchNorm1dState
  /// `[h2, h1]`
  public var linear3: LinearParameters
  public var norm5: BatchNorm1dState
  /// `[K, h2]`
  public var linear6: LinearParameters
  /// Training batches that the running statistics have seen.
  public var batchesTracked: Int

  /// Length D of a pixel's vector.
  public var featureCount: Int { linear0.weight.shape[1] }
  /// Number K of classes.
  public var classCount: Int { linear6.weight.shape[0] }
  /// Widths of the hidden layers.
  public var hiddenWidths: (first: Int, second: Int) {
    (linear0.weight.shape[0], linear3.weight.shape[0])
  }

  /// The layers as given.
  /// - Precondition: each takes what the one before gives.
  public init(
    linear0: LinearParameters, norm2: BatchNorm1dState, linear3: LinearParameters, norm5: BatchNorm1dState,
    linear6: LinearParameters, batchesTracked: Int = 0
  ) {
    precondition(
      linear0.bias.shape == norm2.weight.shape && linear3.weight.shape[1] == norm2.weight.count
        && linear3.bias.shape == norm5.weight.shape && linear6.weight.shape[1] == norm5.weight.count,
      "layers \(linear0.weight.shape), \(linear3.weight.shape), \(linear6.weight.shape) do not follow each other"
    )
    self.linear0 = linear0
    self.norm2 = norm2
    self.linear3 = linear3
    self.norm5 = norm5
    self.linear6 = linear6
    self.batchesTracked = batchesTracked
  }

  /// A classifier before training: weights normal with deviation 0.02, biases 0, batch norms neutral.
  /// - Precondition: there are features and classes.
  public init(featureCount: Int, classCount: Int, random: Philox) {
    precondition(featureCount > 0 && classCount > 0, "\(featureCount) features, \(classCount) classes")
    let widths = PixelMLP.hiddenWidths(classCount: classCount)
    let shapes = [
      [widths.first, featureCount], [widths.second, widths.first], [classCount, widths.second],
    ]
    let layers = shapes.enumerated().map { index, shape in
      var stream = random.split(UInt64(index))
      return LinearParameters(weight: stream.normal(shape: shape) * 0.02, bias: Tensor(zeros: [shape[0]]))
    }
    self.init(
      linear0: layers[0], norm2: BatchNorm1dState(channels: widths.first),
      linear3: layers[1], norm5: BatchNorm1dState(channels: widths.second), linear6: layers[2])
  }

  /// Widths of the hidden layers in the reference: 128 and 32 below thirty classes, else 256 and 128.
  public static func hiddenWidths(classCount: Int) -> (first: Int, second: Int) {
    classCount < 30 ? (128, 32) : (256, 128)
  }

  /// Logits with the running statistics of the batch norms: `[N, D]` to `[N, K]`.
  public func logits(_ x: Tensor) -> Tensor {
    precondition(
      x.rank == 2 && x.shape[1] == featureCount, "features \(x.shape) for a classifier of \(featureCount)")
    let first = batchNorm1dEvaluation(relu(linear0(x)), state: norm2).y
    let second = batchNorm1dEvaluation(relu(linear3(first)), state: norm5).y
    return linear6(second)
  }
}

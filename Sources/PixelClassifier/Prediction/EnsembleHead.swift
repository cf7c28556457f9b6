import TensorCore

// M members, D features, h1 and h2 hidden units, K classes

/// The members of an ensemble in the form in which whole pictures are classified.
///
/// A linear layer and bilinear upsampling commute, so the first layer runs at the resolution of each
/// feature map, for all members in one product, and only its M · h1 outputs are upsampled. Batch norms
/// come after a ReLU and before a linear layer, and become part of that layer.
struct EnsembleHead: Sendable {
  /// First layers of all members below each other: weight `[M · h1, D]`, bias `[M · h1]`.
  let first: LinearParameters
  /// `[h2, h1]` of each member, with the batch norm before it.
  let second: [LinearParameters]
  /// `[K, h2]` of each member, with the batch norm before it.
  let third: [LinearParameters]

  var memberCount: Int { second.count }
  /// h1
  var firstWidth: Int { second[0].weight.shape[1] }
  /// h2
  var secondWidth: Int { second[0].weight.shape[0] }
  /// K
  var classCount: Int { third[0].weight.shape[0] }

  init(_ members: [PixelMLP]) {
    let (width, features) = (members[0].hiddenWidths.first, members[0].featureCount)
    first = LinearParameters(
      weight: stack(members.map(\.linear0.weight)).reshaped([members.count * width, features]),
      bias: stack(members.map(\.linear0.bias)).reshaped([members.count * width]))
    second = members.map { $0.linear3.absorbing($0.norm2) }
    third = members.map { $0.linear6.absorbing($0.norm5) }
  }
}

extension LinearParameters {
  /// The layer that does what this one does after a batch norm with its running statistics:
  /// `W (s (x - mean) + beta) + b = (W s) x + (W (beta - s mean) + b)` with `s = gamma / sqrt(variance + eps)`.
  func absorbing(_ norm: BatchNorm1dState) -> LinearParameters {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let eps = Double(norm.eps)
    let scale = zip(norm.weight.elements, norm.runningVariance.elements).map {
      Double($0) / (Double($1) + eps).squareRoot()
    }
    let shift = zip(norm.bias.elements, zip(scale, norm.runningMean.elements)).map {
      Double($0) - $1.0 * Double($1.1)
    }
    let rows = weight.elements
    var (newWeight, newBias) = (rows, bias.elements)
    for output in 0..<outputs {
      var sum = Double(newBias[output])
      for input in 0..<inputs {
        let value = Double(rows[output * inputs + input])
        newWeight[output * inputs + input] = Float(value * scale[input])
        sum += value * shift[input]
      }
      newBias[output] = Float(sum)
    }
    return LinearParameters(
      weight: Tensor(newWeight, shape: weight.shape), bias: Tensor(newBias, shape: bias.shape))
  }
}

import TensorCore

/// The noise under which pictures are shown to the network.
public enum FeatureNoise: Sendable, Equatable {
  /// One tensor for all pictures and steps, that of the reference with this seed on a CPU
  /// (`torch.randn` of `[1, 3, size, size]`).
  case shared(seed: UInt64)
  /// One tensor for all pictures and steps, `[channels, size, size]`; `[n, channels, size, size]` for averages over
  /// several.
  case fixed(Tensor)
  /// A fresh tensor for each picture, the same for all its steps. It follows from the seed and the name of the
  /// picture's file without its folder, so that a picture sees the same noise in whatever list it stands.
  case perImage(seed: UInt64)

  /// The seed; nil for numbers that were given.
  package var seed: UInt64? {
    switch self {
    case .shared(let seed), .perImage(let seed): seed
    case .fixed: nil
    }
  }

  /// The same under another seed; numbers that were given stay.
  package func reseeded(_ seed: UInt64) -> FeatureNoise {
    switch self {
    case .shared: .shared(seed: seed)
    case .perImage: .perImage(seed: seed)
    case .fixed: self
    }
  }

  public static func == (a: FeatureNoise, b: FeatureNoise) -> Bool {
    switch (a, b) {
    case (.shared(let a), .shared(let b)), (.perImage(let a), .perImage(let b)): a == b
    case (.fixed(let a), .fixed(let b)): a.shape == b.shape && a.elements == b.elements
    default: false
    }
  }

  /// The tensors that are shared, `[count, channels, size, size]`; nil when every picture has its own.
  public func sharedTensor(channels: Int, size: Int, count: Int = 1) -> Tensor? {
    switch self {
    case .shared(let seed):
      var generator = TorchMT19937(seed: seed)
      return generator.randn(shape: [count, channels, size, size])
    case .fixed(let tensor): return tensor.rank == 3 ? tensor.reshaped([1] + tensor.shape) : tensor
    case .perImage: return nil
    }
  }
}

extension Tensor {
  /// `[C, S, S]` repeated to `[C, height, width]`, so that pictures of other sizes than the model's see the
  /// same noise at the same place.
  func tiled(height: Int, width: Int) -> Tensor {
    precondition(rank == 3 && count > 0, "tiling of \(shape)")
    let (channels, rows, columns) = (shape[0], shape[1], shape[2])
    if rows == height && columns == width { return self }
    return Tensor(shape: [channels, height, width]) { y in
      withPointers(self) { x in
        for c in 0..<channels {
          for row in 0..<height {
            let line = x + (c * rows + row % rows) * columns
            let target = y + (c * height + row) * width
            for column in 0..<width { target[column] = line[column % columns] }
          }
        }
      }
    }
  }
}

import TensorCore

/// A picture `[C, H, W]` as a batch of one with its channels last: `[1, H, W, C]`.
public func channelsLast(_ planes: Tensor) -> Tensor {
  planes.reshaped([1] + planes.shape).channelsLast
}

import TensorCore

/// A picture `[C, H, W]` as a batch of one with its channels last: `[1, H, W, C]`.
public func channelsLast(_ planes: Tensor) -> Tensor {
  let (channels, height, width) = (planes.shape[0], planes.shape[1], planes.shape[2])
  return transposed(planes.reshaped([channels, height * width])).reshaped([1, height, width, channels])
}

import CKernels

// x: [N, P, C], C = C1 + C2   pieces of at most 256 of the P pixels   G groups of C / G channels

/// Mean and biased variance of every group of channels of every sample, `N · G` each.
///
/// Exact enough for data whose mean is large against its spread: a piece of the pixels, in the cache, is summed
/// first and its squares are taken around that mean; pieces are put together in double precision, always in the
/// same order (Chan, Golub and LeVeque 1979).
struct GroupMoments {
  private(set) var means: [Double]
  private(set) var variances: [Double]

  init(_ x: ConvolutionInput, groups: Int) {
    let (batch, channels) = (x.shape[0], x.channels)
    let pixels = x.shape.dropFirst().dropLast().reduce(1, *)
    means = [Double](repeating: 0, count: batch * groups)
    variances = means
    guard batch > 0, pixels > 0 else { return }
    let pieceSize = max(16, min(256, pixels / 16))
    let pieces = (pixels + pieceSize - 1) / pieceSize
    let groupChannels = channels / groups
    withScratch(count: batch * pieces * PieceMoments.fields * channels) { table in
      x.withReader(height: 1, width: pixels) { reader in
        parallelFor(batch * pieces) { item in
          let (n, start) = (item / pieces, item % pieces * pieceSize)
          let count = min(pieceSize, pixels - start)
          let moments = PieceMoments(table + item * PieceMoments.fields * channels, channels: channels)
          for part in reader.parts {
            moments.collect(
              part.base + (n * pixels + start) * part.channels, pixels: count, channels: part.channels,
              offset: part.offset)
          }
        }
      }
      means.withUnsafeMutableBufferPointer { means in
        variances.withUnsafeMutableBufferPointer { variances in
          let (means, variances) = (means.baseAddress!, variances.baseAddress!)
          parallelFor(batch * groups) { item in
            let (n, group) = (item / groups, item % groups)
            let members = group * groupChannels..<(group + 1) * groupChannels
            let total = Double(pixels * groupChannels)
            var sum = 0.0
            for piece in 0..<pieces {
              let moments = PieceMoments(
                table + (n * pieces + piece) * PieceMoments.fields * channels, channels: channels)
              let count = Double(min(pieceSize, pixels - piece * pieceSize))
              for channel in members { sum += moments.sum(channel, count: count) }
            }
            let mean = sum / total
            var squares = 0.0
            for piece in 0..<pieces {
              let moments = PieceMoments(
                table + (n * pieces + piece) * PieceMoments.fields * channels, channels: channels)
              let count = Double(min(pieceSize, pixels - piece * pieceSize))
              for channel in members { squares += moments.squares(channel, count: count, around: mean) }
            }
            means[item] = mean
            variances[item] = max(0, squares / total)
          }
        }
      }
    }
  }
}

/// Sums over a piece of the pixels, for each channel.
private struct PieceMoments {
  static let fields = 3

  /// A number near the mean, from which the other sums are taken.
  private let center: UnsafeMutablePointer<Float>
  /// `Σ (x - center)`
  private let rest: UnsafeMutablePointer<Float>
  /// `Σ (x - center)²`
  private let square: UnsafeMutablePointer<Float>

  init(_ base: UnsafeMutablePointer<Float>, channels: Int) {
    center = base
    rest = base + channels
    square = base + 2 * channels
  }

  /// - Parameters:
  ///   - x: `[pixels, channels]`
  ///   - offset: the first channel's place among all
  func collect(_ x: UnsafePointer<Float>, pixels: Int, channels: Int, offset: Int) {
    dseg_moments(x, pixels, channels, center + offset, rest + offset, square + offset)
  }

  func sum(_ channel: Int, count: Double) -> Double {
    Double(center[channel]) * count + Double(rest[channel])
  }

  func squares(_ channel: Int, count: Double, around mean: Double) -> Double {
    let shift = Double(center[channel]) - mean
    return Double(square[channel]) + 2 * shift * Double(rest[channel]) + count * shift * shift
  }
}

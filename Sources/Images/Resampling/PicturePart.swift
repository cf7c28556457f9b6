/// Some columns and rows of a picture, between the passes of a resize.
struct PicturePart {
  /// `[rows, columns, 3]`.
  let samples: [UInt8]
  /// Which columns and rows of the picture these are.
  let columns: Range<Int>
  let rows: Range<Int>

  /// The given rows at another width; the columns are numbered from 0 again.
  /// - Precondition: the rows and all source columns of the taps are in this part.
  func resampledAcross(_ taps: ResamplingTaps, rows: Range<Int>) -> PicturePart {
    let newWidth = taps.first.count
    precondition(contains(columns: taps.sources, rows: rows))
    let resampled = [UInt8](unsafeUninitializedCapacity: rows.count * newWidth * 3) { output, filled in
      samples.withUnsafeBufferPointer { samples in
        taps.weights.withUnsafeBufferPointer { weights in
          for row in rows {
            let source =
              samples.baseAddress! + 3 * ((row - self.rows.lowerBound) * columns.count - columns.lowerBound)
            for column in 0..<newWidth {
              var place = source + 3 * taps.first[column]
              let start = column * taps.stride
              var (red, green, blue) = (half, half, half)
              for tap in start..<start + taps.count[column] {
                let weight = weights[tap]
                red &+= Int32(place[0]) &* weight
                green &+= Int32(place[1]) &* weight
                blue &+= Int32(place[2]) &* weight
                place += 3
              }
              output.initializeElement(at: filled, to: byte(red))
              output.initializeElement(at: filled + 1, to: byte(green))
              output.initializeElement(at: filled + 2, to: byte(blue))
              filled += 3
            }
          }
        }
      }
    }
    return PicturePart(samples: resampled, columns: 0..<newWidth, rows: rows)
  }

  /// The given columns at another height; the rows are numbered from 0 again.
  /// - Precondition: the columns and all source rows of the taps are in this part.
  func resampledDown(_ taps: ResamplingTaps, columns: Range<Int>) -> PicturePart {
    let newHeight = taps.first.count
    precondition(contains(columns: columns, rows: taps.sources))
    let rowBytes = 3 * columns.count
    var sums = [Int32](repeating: 0, count: rowBytes)
    let resampled = [UInt8](unsafeUninitializedCapacity: newHeight * rowBytes) { output, filled in
      samples.withUnsafeBufferPointer { samples in
        sums.withUnsafeMutableBufferPointer { sums in
          let left = samples.baseAddress! + 3 * (columns.lowerBound - self.columns.lowerBound)
          for row in 0..<newHeight {
            sums.update(repeating: half)
            for tap in 0..<taps.count[row] {
              let weight = taps.weights[row * taps.stride + tap]
              let source = left + 3 * (taps.first[row] + tap - rows.lowerBound) * self.columns.count
              for index in 0..<rowBytes { sums[index] &+= Int32(source[index]) &* weight }
            }
            for index in 0..<rowBytes { output.initializeElement(at: filled + index, to: byte(sums[index])) }
            filled += rowBytes
          }
        }
      }
    }
    return PicturePart(samples: resampled, columns: columns, rows: 0..<newHeight)
  }

  /// The picture of this part, cut to the given columns and rows where there are any.
  func image(columns: Range<Int>?, rows: Range<Int>?) -> Image {
    let whole = Image(width: self.columns.count, height: self.rows.count, pixels: samples)
    let (columns, rows) = (columns ?? self.columns, rows ?? self.rows)
    guard columns != self.columns || rows != self.rows else { return whole }
    return whole.cropped(
      x: columns.lowerBound - self.columns.lowerBound, y: rows.lowerBound - self.rows.lowerBound,
      width: columns.count, height: rows.count)
  }

  private func contains(columns: Range<Int>, rows: Range<Int>) -> Bool {
    columns.clamped(to: self.columns) == columns && rows.clamped(to: self.rows) == rows
  }
}

/// One half in fixed point, so that cutting the fraction off rounds.
private let half = Int32(1) << (ResamplingTaps.fractionBits - 1)

/// A sum of weighted bytes in fixed point, brought back to a byte.
@inline(__always)
private func byte(_ sum: Int32) -> UInt8 {
  UInt8(truncatingIfNeeded: min(max(sum >> ResamplingTaps.fractionBits, 0), 255))
}

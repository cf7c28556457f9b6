import Images
import TensorCore

// From the network's size to the content's.
extension FittedGeometry {
  /// The results of the content among those of the network's input: `[networkHeight, networkWidth]` to
  /// `[contentHeight, contentWidth]`.
  /// - Precondition: there is one for each pixel of the network's input.
  public func cropToContent<Element>(_ results: [Element]) -> [Element] {
    precondition(
      results.count == networkWidth * networkHeight,
      "\(results.count) results for an input of \(networkWidth) x \(networkHeight)")
    guard isPadded else { return results }
    return croppedElements(
      of: results, from: (networkWidth, networkHeight), x: 0, y: 0, width: contentWidth, height: contentHeight
    )
  }

  /// The labels of the content among those of the network's input.
  /// - Precondition: the mask has the size of the network's input.
  public func cropToContent(_ mask: LabelMask) -> LabelMask {
    precondition(
      mask.width == networkWidth && mask.height == networkHeight,
      "a mask of \(mask.width) x \(mask.height) for an input of \(networkWidth) x \(networkHeight)")
    return LabelMask(width: contentWidth, height: contentHeight, labels: cropToContent(mask.labels))
  }

  /// The content of planes of results, such as probabilities by class:
  /// `[..., networkHeight, networkWidth]` to `[..., contentHeight, contentWidth]`.
  /// - Precondition: the last two dimensions are those of the network's input.
  public func cropToContent(_ planes: Tensor) -> Tensor {
    precondition(
      planes.rank >= 2 && planes.shape.suffix(2) == [networkHeight, networkWidth],
      "results of shape \(planes.shape) for an input of \(networkWidth) x \(networkHeight)")
    guard isPadded else { return planes }
    let leading = planes.shape.dropLast(2)
    return Tensor(unsafeUninitializedShape: leading + [contentHeight, contentWidth]) { output in
      planes.withUnsafeBufferPointer { input in
        for row in 0..<leading.reduce(1, *) * contentHeight {
          let source = (row / contentHeight * networkHeight + row % contentHeight) * networkWidth
          _ = UnsafeMutableBufferPointer(rebasing: output[row * contentWidth..<(row + 1) * contentWidth])
            .initialize(fromContentsOf: input[source..<source + contentWidth])
        }
      }
    }
  }
}

// From the content's size to the picture's.
extension FittedGeometry {
  /// The labels at the size of the picture as it came: of the content pixel under each pixel's centre,
  /// so that borders do not move; the ignore label outside of a crop.
  /// - Precondition: the mask has the content's size.
  public func restore(_ mask: LabelMask, ignoreLabel: UInt8 = LabelMask.ignoreLabel) -> LabelMask {
    restore(mask, rows: 0..<originalHeight, ignoreLabel: ignoreLabel)
  }

  /// Some rows of the same.
  package func restore(
    _ mask: LabelMask, rows: Range<Int>, ignoreLabel: UInt8 = LabelMask.ignoreLabel
  ) -> LabelMask {
    requireContentSize(mask.width, mask.height)
    func sources(_ places: Range<Int>, _ size: Int, _ resized: Int, _ content: Range<Int>) -> [Int?] {
      places.map { index in
        let source = centeredSource(of: index, size: resized, newSize: size)
        return content.contains(source) ? source - content.lowerBound : nil
      }
    }
    return mask.gathered(
      columns: sources(0..<originalWidth, originalWidth, resizedWidth, contentColumns),
      rows: sources(rows, originalHeight, resizedHeight, contentRows), outside: ignoreLabel)
  }

  /// Numbers at the size of the picture as it came, such as an uncertainty map: bilinear between pixel
  /// centres, the border pixel carried on to the border.
  /// - Parameters:
  ///   - scores: `[contentHeight, contentWidth]`.
  ///   - outside: for pixels outside of a crop, about which nothing is known.
  /// - Returns: `[originalHeight, originalWidth]`.
  /// - Precondition: there is a number for each pixel of the content.
  public func restore(_ scores: [Float], outside: Float = .nan) -> [Float] {
    restore(scores, rows: 0..<originalHeight, outside: outside)
  }

  /// Some rows of the same, `[rows, originalWidth]`.
  package func restore(_ scores: [Float], rows: Range<Int>, outside: Float = .nan) -> [Float] {
    precondition(
      scores.count == contentWidth * contentHeight,
      "\(scores.count) numbers for a content of \(contentWidth) x \(contentHeight)")
    let columns = interpolation(0..<originalWidth, originalWidth, resizedWidth, contentColumns)
    let lines = interpolation(rows, originalHeight, resizedHeight, contentRows)
    return [Float](unsafeUninitializedCapacity: originalWidth * rows.count) { output, filled in
      for row in lines {
        for column in columns {
          var score = outside
          if let row, let column {
            let (top, bottom) = (row.low * contentWidth, row.high * contentWidth)
            let above = mix(scores[top + column.low], scores[top + column.high], column.share)
            let below = mix(scores[bottom + column.low], scores[bottom + column.high], column.share)
            score = mix(above, below, row.share)
          }
          output.initializeElement(at: filled, to: score)
          filled += 1
        }
      }
    }
  }

  /// Two neighbours in the content, and how far the place lies from the first to the second.
  private typealias Neighbours = (low: Int, high: Int, share: Float)

  /// The neighbours of each original pixel's centre along one direction; nil outside of the content.
  private func interpolation(
    _ places: Range<Int>, _ size: Int, _ resized: Int, _ content: Range<Int>
  ) -> [Neighbours?] {
    places.map { index in
      guard content.contains(centeredSource(of: index, size: resized, newSize: size)) else { return nil }
      let place = (Double(index) + 0.5) * Double(resized) / Double(size) - 0.5 - Double(content.lowerBound)
      let inside = min(max(place, 0), Double(content.count - 1))
      let low = Int(inside)
      return (low, min(low + 1, content.count - 1), Float(inside - Double(low)))
    }
  }

  private func mix(_ a: Float, _ b: Float, _ share: Float) -> Float { share == 0 ? a : a + (b - a) * share }

  private func requireContentSize(_ width: Int, _ height: Int) {
    precondition(
      width == contentWidth && height == contentHeight,
      "a mask of \(width) x \(height) for a content of \(contentWidth) x \(contentHeight); cut it back first")
  }
}

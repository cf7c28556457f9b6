extension LabelMask {
  /// Nearest neighbour as OpenCV's `INTER_NEAREST` has it: the source index is
  /// floor(index * source / target), without a half-pixel shift.
  ///
  /// This is how the reference prepares training masks. Like OpenCV it multiplies by the rounded
  /// reciprocal of the Double target / source, so at some exact multiples (2 to 98, say) it takes the
  /// neighbour below.
  /// - Precondition: both sides are positive and the mask has at most `Image.maximumPixelCount` pixels.
  public func resized(width newWidth: Int, height newHeight: Int) -> LabelMask {
    resized(width: newWidth, height: newHeight, columns: 0..<newWidth, rows: 0..<newHeight, outside: 0)
  }

  /// The given columns and rows of `resized(width:height:)`; those beyond the new size are `outside`.
  package func resized(
    width newWidth: Int, height newHeight: Int, columns: Range<Int>, rows: Range<Int>, outside: UInt8
  ) -> LabelMask {
    func sources(_ size: Int, _ newSize: Int, _ targets: Range<Int>) -> [Int?] {
      let step = 1 / (Double(newSize) / Double(size))
      return targets.map { $0 < newSize ? min(Int(Double($0) * step), size - 1) : nil }
    }
    return gathered(
      columns: sources(width, newWidth, columns), rows: sources(height, newHeight, rows), outside: outside)
  }

  /// Nearest neighbour between pixel centres: the source index is
  /// floor((index + 1/2) * source / target), exactly.
  ///
  /// Unlike `resized(width:height:)` it moves no border, so it is the one to bring predictions to
  /// another size.
  /// - Precondition: both sides are positive and the mask has at most `Image.maximumPixelCount` pixels.
  public func resizedCentered(width newWidth: Int, height newHeight: Int) -> LabelMask {
    gathered(
      columns: (0..<newWidth).map { centeredSource(of: $0, size: width, newSize: newWidth) },
      rows: (0..<newHeight).map { centeredSource(of: $0, size: height, newSize: newHeight) }, outside: 0)
  }

  /// The mask whose pixel (x, y) is this one's (`columns[x]`, `rows[y]`), and `outside` where either
  /// is nil.
  /// - Precondition: neither list is empty and all indices lie inside.
  package func gathered(columns: [Int?], rows: [Int?], outside: UInt8) -> LabelMask {
    let count = pixelCount(width: columns.count, height: rows.count)
    let gathered = [UInt8](unsafeUninitializedCapacity: count) { gathered, filled in
      for row in rows {
        for column in columns {
          var label = outside
          if let row, let column { label = self[column, row] }
          gathered.initializeElement(at: filled, to: label)
          filled += 1
        }
      }
    }
    return LabelMask(width: columns.count, height: rows.count, labels: gathered)
  }

  /// The rectangle whose left top pixel is (`x`, `y`).
  /// - Precondition: the rectangle is not empty and lies inside the mask.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> LabelMask {
    let labels = croppedElements(
      of: labels, from: (self.width, self.height), x: x, y: y, width: width, height: height)
    return LabelMask(width: width, height: height, labels: labels)
  }
}

/// The source pixel under the centre of a target pixel: floor((index + 1/2) * size / newSize).
package func centeredSource(of index: Int, size: Int, newSize: Int) -> Int {
  (2 * index + 1) * size / (2 * newSize)
}

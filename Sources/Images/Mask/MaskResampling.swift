/// How labels are brought to fewer pixels.
public enum MaskResampling: String, Sendable, Hashable, CaseIterable {
  /// The label at one place of each new pixel, as the reference takes it (OpenCV's `INTER_NEAREST`). Whatever lies
  /// between these places is lost.
  case nearest
  /// The label that covers most of each new pixel, of those that are not ignored.
  case majority
  /// The label of each new pixel that is rarest in the picture, so that thin structures stay, thickened to one
  /// new pixel.
  case thin

  /// Labels that cover less of a new pixel than this do not count for `majority` and `thin`: one pixel of a row of 16.
  static let smallestShare = 1.0 / 16
}

extension LabelMask {
  /// The labels at another size.
  /// - Parameters:
  ///   - newWidth: in pixels
  ///   - newHeight: in pixels
  ///   - resampling: which label a new pixel gets, of those that it covers
  ///   - ignoreLabel: gives way to any label that covers a sixteenth of a new pixel
  /// - Precondition: both sides are positive and the mask has at most `Image.maximumPixelCount` pixels.
  public func resized(
    width newWidth: Int, height newHeight: Int, by resampling: MaskResampling,
    ignoreLabel: UInt8 = LabelMask.ignoreLabel
  ) -> LabelMask {
    resized(
      width: newWidth, height: newHeight, columns: 0..<newWidth, rows: 0..<newHeight, by: resampling,
      outside: ignoreLabel)
  }

  /// The given columns and rows of `resized(width:height:by:)`; those beyond the new size are `outside`, which is also
  /// the label to ignore.
  package func resized(
    width newWidth: Int, height newHeight: Int, columns: Range<Int>, rows: Range<Int>,
    by resampling: MaskResampling, outside: UInt8
  ) -> LabelMask {
    // Nothing is lost, so all ways agree with the reference's.
    guard resampling != .nearest, newWidth != width || newHeight != height else {
      return resized(width: newWidth, height: newHeight, columns: columns, rows: rows, outside: outside)
    }
    let across = columns.map { $0 < newWidth ? Cover(of: $0, size: width, newSize: newWidth) : nil }
    let down = rows.map { $0 < newHeight ? Cover(of: $0, size: height, newSize: newHeight) : nil }
    // A cell of the new grid has width * height units, a pixel of this mask newWidth * newHeight.
    let smallest = max(1, Int((Double(width) * Double(height) * MaskResampling.smallestShare).rounded(.up)))
    let rarity = histogram
    var votes = [Int](repeating: 0, count: 256)
    var labels: [UInt8] = []
    labels.reserveCapacity(columns.count * rows.count)
    for row in down {
      for column in across {
        guard let row, let column else {
          labels.append(outside)
          continue
        }
        var present: [UInt8] = []
        for (y, share) in zip(row.first..., row.shares) {
          for (x, part) in zip(column.first..., column.shares) {
            let label = self.labels[y * width + x]
            if votes[Int(label)] == 0 { present.append(label) }
            votes[Int(label)] += share * part
          }
        }
        labels.append(Self.winner(present, votes, rarity, smallest, resampling, ignoring: outside))
        for label in present { votes[Int(label)] = 0 }
      }
    }
    return LabelMask(width: columns.count, height: rows.count, labels: labels)
  }

  /// The label of a cell; of equals the smallest.
  private static func winner(
    _ present: [UInt8], _ votes: [Int], _ rarity: [Int], _ smallest: Int, _ resampling: MaskResampling,
    ignoring ignored: UInt8
  ) -> UInt8 {
    let labelled = present.filter { $0 != ignored }
    switch resampling {
    case .nearest, .majority:
      guard labelled.reduce(0, { $0 + votes[Int($1)] }) >= smallest else { return ignored }
      return labelled.min { (-votes[Int($0)], $0) < (-votes[Int($1)], $1) } ?? ignored
    case .thin:
      return labelled.filter { votes[Int($0)] >= smallest }
        .min { (rarity[Int($0)], $0) < (rarity[Int($1)], $1) } ?? ignored
    }
  }

  /// The pixels under a new pixel along one direction, and how much of each is under it.
  private struct Cover {
    var first: Int
    /// In units of 1 / `newSize` of a pixel, which makes them whole numbers.
    var shares: [Int]

    init(of index: Int, size: Int, newSize: Int) {
      let (start, end) = (index * size, (index + 1) * size)
      first = start / newSize
      shares = (first...(end - 1) / newSize).map { pixel in
        min(end, (pixel + 1) * newSize) - max(start, pixel * newSize)
      }
    }
  }
}

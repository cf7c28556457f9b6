extension RunLengths {
  /// The pixels of a picture that lie in any of some polygons, see `Polygon.forEachSpan`. Takes time in proportion to the
  /// rectangle around them.
  /// - Precondition: both sides are positive.
  public init(_ polygons: [Polygon], width: Int, height: Int) {
    precondition(width > 0 && height > 0, "run lengths of \(width)×\(height)")
    var spans: [(row: Int, columns: Range<Int>)] = []
    for polygon in polygons {
      polygon.forEachSpan(width: width, height: height) { spans.append(($0, $1)) }
    }
    let left = spans.map(\.columns.lowerBound).min() ?? 0
    let right = spans.map(\.columns.upperBound).max() ?? 0
    let top = spans.map(\.row).min() ?? 0
    let rows = (spans.map(\.row).max() ?? -1) + 1 - top
    var isInside = [Bool](repeating: false, count: (right - left) * rows)
    for (row, columns) in spans {
      for column in columns { isInside[(column - left) * rows + row - top] = true }
    }
    // Where each run begins, column by column.
    var (changes, end) = ([Int](), 0)
    for column in left..<right {
      var row = 0
      while row < rows {
        let position = (column - left) * rows + row
        guard isInside[position] else {
          row += 1
          continue
        }
        let first = row
        while row < rows, isInside[(column - left) * rows + row] { row += 1 }
        let start = column * height + top + first
        // A run that reaches the lower border goes on at the top of the next column.
        if start == end, !changes.isEmpty { changes.removeLast() } else { changes.append(start) }
        end = column * height + top + row
        changes.append(end)
      }
    }
    var (counts, last) = ([Int](), 0)
    for change in changes {
      counts.append(change - last)
      last = change
    }
    if counts.isEmpty || last < width * height { counts.append(width * height - last) }
    self.init(unchecked: counts, width: width, height: height)
  }
}

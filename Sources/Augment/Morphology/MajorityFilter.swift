import Images

extension LabelMask {
  /// Every pixel gets the label that is most frequent around it: unlike erosion and dilation of label numbers,
  /// the result does not depend on how the classes are numbered.
  ///
  /// A pixel keeps its label when no other is more frequent; otherwise the most frequent one wins, the smallest
  /// number of equals.
  /// - Parameter radius: of the square around the pixel, which has 2 radius + 1 pixels a side; it is cut off at
  ///   the edge of the mask
  /// - Precondition: the radius is 0 ... 1000.
  public func majorityFiltered(radius: Int) -> LabelMask {
    precondition((0...1000).contains(radius), "a radius of \(radius)")
    var filtered = labels
    for y in 0..<height {
      let rows = max(0, y - radius)...min(height - 1, y + radius)
      // Counts of the square, which loses a column on the left and gains one on the right at each step.
      var counts = [Int32](repeating: 0, count: 256)
      func count(column: Int, by amount: Int32) {
        guard column >= 0 && column < width else { return }
        for row in rows { counts[Int(labels[row * width + column])] += amount }
      }
      for column in 0..<radius { count(column: column, by: 1) }
      for x in 0..<width {
        count(column: x + radius, by: 1)
        count(column: x - radius - 1, by: -1)
        var winner = Int(labels[y * width + x])
        for label in 0..<256 where counts[label] > counts[winner] { winner = label }
        filtered[y * width + x] = UInt8(winner)
      }
    }
    return LabelMask(width: width, height: height, labels: filtered)
  }
}

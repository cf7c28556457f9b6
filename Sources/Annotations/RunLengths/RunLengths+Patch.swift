extension RunLengths {
  /// The pixels of a picture that lie in a patch.
  /// - Precondition: both sides are positive.
  init(_ patch: MaskPatch, width: Int, height: Int) {
    var rows: [Polygon] = []
    patch.forEachSpan(width: width, height: height) { row, columns in
      rows.append(
        Polygon(x: Double(columns.lowerBound), y: Double(row), width: Double(columns.count), height: 1))
    }
    self.init(rows, width: width, height: height)
  }
}

/// A picture mirrored, then turned by right angles.
package struct PictureTurn: Equatable {
  package var mirrors: Bool
  /// Number of quarter turns counterclockwise, 0 to 3.
  package var quarters: Int

  package init(mirrors: Bool = false, quarters: Int = 0) {
    self.mirrors = mirrors
    self.quarters = quarters
  }

  /// Turns a square picture in place, `[3, side, side]`.
  package func apply(to picture: UnsafeMutablePointer<Float>, side: Int) {
    for channel in 0..<3 {
      let plane = picture + channel * side * side
      if mirrors {
        for row in 0..<side {
          var line = UnsafeMutableBufferPointer(start: plane + row * side, count: side)
          line.reverse()
        }
      }
      for _ in 0..<quarters { turn(plane, side: side) }
    }
  }

  /// Four pixels at a time change places.
  private func turn(_ plane: UnsafeMutablePointer<Float>, side: Int) {
    let last = side - 1
    for row in 0..<side / 2 {
      for column in 0..<(side + 1) / 2 {
        let places = [
          row * side + column, column * side + last - row, (last - row) * side + last - column,
          (last - column) * side + row,
        ]
        let first = plane[places[0]]
        for index in 0..<3 { plane[places[index]] = plane[places[index + 1]] }
        plane[places[3]] = first
      }
    }
  }
}

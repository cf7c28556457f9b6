extension Polygon {
  /// Calls `body` with the pixels of a picture that lie inside, a run of a row at a time, from the top.
  ///
  /// A pixel is inside when its centre is (even-odd). A centre on an edge belongs to the area right of or below the edge,
  /// so that areas which share an edge neither overlap nor leave a gap. What lies outside the picture is cut off.
  /// - Parameters:
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - body: takes a row and the columns of a run
  public func forEachSpan(width: Int, height: Int, _ body: (_ row: Int, _ columns: Range<Int>) -> Void) {
    var edges: [Edge] = []
    for ring in rings where ring.count >= 3 {
      for (index, point) in ring.enumerated() {
        let edge = Edge(point, ring[(index + 1) % ring.count], height: height)
        if !edge.rows.isEmpty { edges.append(edge) }
      }
    }
    edges.sort { $0.rows.lowerBound < $1.rows.lowerBound }
    guard let first = edges.first?.rows.lowerBound else { return }
    var (active, next, row) = ([Edge](), 0, first)
    while next < edges.count || !active.isEmpty {
      if active.isEmpty { row = max(row, edges[next].rows.lowerBound) }
      while next < edges.count, edges[next].rows.lowerBound <= row {
        active.append(edges[next])
        next += 1
      }
      let columns = active.map { $0.column(row: row, width: width) }.sorted()
      for index in stride(from: 0, to: columns.count - 1, by: 2) where columns[index] < columns[index + 1] {
        body(row, columns[index]..<columns[index + 1])
      }
      row += 1
      active.removeAll { $0.rows.upperBound <= row }
    }
  }

  private struct Edge {
    /// The upper end first, so that an edge is cut at the same places whichever way it is gone along.
    var upper: Point
    var lower: Point
    /// Rows of the picture whose centres it crosses.
    var rows: Range<Int>

    init(_ a: Point, _ b: Point, height: Int) {
      (upper, lower) = (a.y, a.x) <= (b.y, b.x) ? (a, b) : (b, a)
      let first = Self.firstCentre(upper.y, limit: height)
      rows = first..<max(first, Self.firstCentre(lower.y, limit: height))
    }

    /// The first column whose centre is not left of the edge.
    func column(row: Int, width: Int) -> Int {
      let y = Double(row) + 0.5
      let x = upper.x + (y - upper.y) * (lower.x - upper.x) / (lower.y - upper.y)
      return Self.firstCentre(x, limit: width)
    }

    /// The first of 0...limit whose centre is at a coordinate or beyond it.
    static func firstCentre(_ coordinate: Double, limit: Int) -> Int {
      Int(min(max((coordinate - 0.5).rounded(.up), 0), Double(limit)))
    }
  }
}

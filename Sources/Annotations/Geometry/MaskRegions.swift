import Images

/// A connected area of one label, with its outline along the edges of its pixels.
public struct MaskRegion: Sendable, Equatable {
  /// The label of its pixels.
  public var label: UInt8
  /// Number of pixels.
  public var area: Int
  /// Outline and holes. Filled again by `Polygon.forEachSpan` it gives the region's pixels, all of them and no others.
  public var polygon: Polygon
}

extension LabelMask {
  /// The connected areas of a mask, 4-connected, in the order of their first pixels row by row.
  ///
  /// Corners are whole numbers and lie where an outline turns; outlines go clockwise as seen, holes the other way.
  /// Takes time in proportion to the pixels.
  /// - Parameter skipped: labels of which no region is wanted
  /// - Returns: one region for each connected area
  public func regions(skipping skipped: Set<UInt8> = []) -> [MaskRegion] {
    let components = ConnectedComponents(self, connectivity: .four)
    var regions: [MaskRegion] = components.first.enumerated().map { index, position in
      MaskRegion(label: labels[position], area: components.areas[index], polygon: Polygon(rings: []))
    }
    var tracer = ContourTracer(components)
    for position in labels.indices where tracer.startsEdge(position) && !skipped.contains(labels[position]) {
      // The first ring of a component starts at its first pixel, on its outline.
      regions[components[position]].polygon.rings.append(tracer.ring(from: position))
    }
    return regions.filter { !skipped.contains($0.label) }
  }
}

/// Goes along the borders between components, each with its own on the right hand.
private struct ContourTracer {
  let components: ConnectedComponents
  /// Pixels whose upper edge is part of a ring already.
  var isDone: [Bool]

  init(_ components: ConnectedComponents) {
    self.components = components
    isDone = Array(repeating: false, count: components.numbers.count)
  }

  private func number(_ x: Int, _ y: Int) -> Int {
    x < 0 || y < 0 || x >= components.width || y >= components.height
      ? -1 : components[y * components.width + x]
  }

  /// Whether the upper edge of a pixel is a border that no ring has yet. Every ring has such an edge.
  func startsEdge(_ position: Int) -> Bool {
    let (x, y) = (position % components.width, position / components.width)
    return !isDone[position] && number(x, y - 1) != components[position]
  }

  mutating func ring(from position: Int) -> [Point] {
    let own = components[position]
    // East, south, west, north.
    let steps = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    // From a corner, the pixels ahead on the right and on the left.
    let right = [(0, 0), (-1, 0), (-1, -1), (0, -1)]
    let left = [(0, -1), (0, 0), (-1, 0), (-1, -1)]
    let start = (x: position % components.width, y: position / components.width)
    var (x, y, direction) = (start.x, start.y, 0)
    var corners: [Point] = []
    repeat {
      if direction == 0 { isDone[y * components.width + x] = true }
      x += steps[direction].0
      y += steps[direction].1
      // Right first: two pixels that touch at a corner alone are two regions.
      let turn: Int
      if number(x + right[direction].0, y + right[direction].1) != own {
        turn = 1
      } else if number(x + left[direction].0, y + left[direction].1) != own {
        turn = 0
      } else {
        turn = 3
      }
      if turn != 0 { corners.append(Point(Double(x), Double(y))) }
      direction = (direction + turn) % 4
    } while (x, y, direction) != (start.x, start.y, 0)
    return corners
  }
}

import Images

/// Which pixels are neighbours.
public enum Connectivity: Int, Sendable, Hashable, CaseIterable {
  /// Those that share an edge.
  case four = 4
  /// Those that share an edge or a corner.
  case eight = 8
}

/// The connected areas of equal labels, found in two passes with union-find (Rosenfeld and Pfaltz, 1966).
public struct ConnectedComponents: Sendable {
  /// Of the mask, in pixels.
  public let width: Int
  /// Of the mask, in pixels.
  public let height: Int
  /// For each pixel, row by row, the number of its component: 0, 1, … in the order of their first pixels.
  public let numbers: [Int32]
  /// First pixel of each component, row by row.
  public let first: [Int]
  /// Pixels of each component.
  public let areas: [Int]

  /// Number of components.
  public var count: Int { first.count }

  /// The component of a pixel, by the pixel's place row by row.
  package subscript(position: Int) -> Int { Int(numbers[position]) }

  /// - Parameters:
  ///   - mask: the labels
  ///   - connectivity: which pixels are neighbours
  public init(_ mask: LabelMask, connectivity: Connectivity) {
    (width, height) = (mask.width, mask.height)
    let (labels, width, height) = (mask.labels, mask.width, mask.height)
    // A pixel's parent is one before it, or itself.
    var parents = Array(0..<Int32(labels.count))
    func root(_ position: Int) -> Int {
      var place = position
      while parents[place] != place {
        parents[place] = parents[Int(parents[place])]
        place = Int(parents[place])
      }
      return place
    }
    func join(_ a: Int, _ b: Int) {
      let (a, b) = (root(a), root(b))
      parents[max(a, b)] = Int32(min(a, b))
    }
    for y in 0..<height {
      for x in 0..<width {
        let position = y * width + x
        let label = labels[position]
        if x > 0, labels[position - 1] == label { join(position, position - 1) }
        guard y > 0 else { continue }
        if labels[position - width] == label { join(position, position - width) }
        guard connectivity == .eight else { continue }
        if x > 0, labels[position - width - 1] == label { join(position, position - width - 1) }
        if x + 1 < width, labels[position - width + 1] == label { join(position, position - width + 1) }
      }
    }
    // Numbers take the place of parents: a pixel's parent comes before it, and has the number of both.
    var (first, areas) = ([Int](), [Int]())
    for position in labels.indices {
      if parents[position] == position {
        parents[position] = Int32(first.count)
        first.append(position)
        areas.append(0)
      } else {
        parents[position] = parents[Int(parents[position])]
      }
      areas[Int(parents[position])] += 1
    }
    (numbers, self.first, self.areas) = (parents, first, areas)
  }
}

import Images

extension LabelMask {
  /// Connected areas of one label that have fewer pixels than `area` take the label that touches them most.
  ///
  /// Pixels are connected through their four sides. Small areas go first, so that an area that has taken in a
  /// smaller one is not lost with it; of labels that touch as often the smallest number wins. An area that fills
  /// the mask stays.
  /// - Precondition: `area` is at least 0.
  public func removingIslands(below area: Int) -> LabelMask {
    precondition(area >= 0, "an area of \(area) pixels")
    var labels = labels
    let islands = connectedAreas.filter { $0.count < area }.sorted { $0.count < $1.count }
    for island in islands {
      let own = labels[island[0]]
      var touching = [Int](repeating: 0, count: 256)
      for pixel in island {
        forEachNeighbour(of: pixel) { if labels[$0] != own { touching[Int(labels[$0])] += 1 } }
      }
      let most = touching.max()!
      guard most > 0 else { continue }
      let label = UInt8(touching.firstIndex(of: most)!)
      for pixel in island { labels[pixel] = label }
    }
    return LabelMask(width: width, height: height, labels: labels)
  }

  /// Pixels of each connected area, in the order of the areas' first pixels.
  private var connectedAreas: [[Int]] {
    var isSeen = [Bool](repeating: false, count: labels.count)
    var areas: [[Int]] = []
    for start in labels.indices where !isSeen[start] {
      var area = [start]
      isSeen[start] = true
      var next = 0
      while next < area.count {
        forEachNeighbour(of: area[next]) { neighbour in
          if !isSeen[neighbour] && labels[neighbour] == labels[start] {
            isSeen[neighbour] = true
            area.append(neighbour)
          }
        }
        next += 1
      }
      areas.append(area)
    }
    return areas
  }

  private func forEachNeighbour(of pixel: Int, _ body: (Int) -> Void) {
    let (x, y) = (pixel % width, pixel / width)
    if x > 0 { body(pixel - 1) }
    if x + 1 < width { body(pixel + 1) }
    if y > 0 { body(pixel - width) }
    if y + 1 < height { body(pixel + width) }
  }
}

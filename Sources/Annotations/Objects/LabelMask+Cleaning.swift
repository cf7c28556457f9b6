import Images

extension LabelMask {
  /// The mask without small objects, whose pixels get the label of the background.
  /// - Parameters:
  ///   - pixels: the least area of objects that stay, in pixels
  ///   - background: the label that takes their place
  ///   - kept: labels that are no objects, beside the background
  ///   - connectivity: which pixels are neighbours
  public func removingObjects(
    below pixels: Int, background: UInt8, keeping kept: Set<UInt8> = [], connectivity: Connectivity = .eight
  ) -> LabelMask {
    let components = ConnectedComponents(self, connectivity: connectivity)
    var result = labels
    for position in labels.indices
    where components.areas[components[position]] < pixels && !kept.contains(labels[position]) {
      result[position] = background
    }
    return LabelMask(width: width, height: height, labels: result)
  }

  /// The mask with holes filled: areas of the background that do not reach the picture's border and have pixels of one
  /// label alone around them get that label.
  /// - Parameters:
  ///   - background: the label of holes
  ///   - connectivity: which pixels of objects are neighbours; those of holes are by the other rule
  public func fillingHoles(background: UInt8, connectivity: Connectivity = .eight) -> LabelMask {
    let components = ConnectedComponents(self, connectivity: connectivity == .eight ? .four : .eight)
    // The one label around each component; -1 before any is known, -2 for several or the border.
    var around = [Int](repeating: -1, count: components.count)
    for position in labels.indices where labels[position] == background {
      let (x, y, number) = (position % width, position / width, components[position])
      if x == 0 || y == 0 || x == width - 1 || y == height - 1 {
        around[number] = -2
        continue
      }
      for neighbour in [position - 1, position + 1, position - width, position + width]
      where labels[neighbour] != background && around[number] != -2 {
        let label = Int(labels[neighbour])
        around[number] = around[number] == -1 || around[number] == label ? label : -2
      }
    }
    var result = labels
    for position in labels.indices where labels[position] == background {
      if let label = UInt8(exactly: around[components[position]]) { result[position] = label }
    }
    return LabelMask(width: width, height: height, labels: result)
  }
}

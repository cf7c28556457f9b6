/// A mask that shapes are drawn into, and how many pixels were drawn as several classes where shapes overlap.
///
/// A shape that lies wholly inside an earlier one is no overlap: so nested areas are drawn in formats without holes,
/// where later shapes cover earlier ones (labelme's `shapes_to_label`).
struct ShapeCanvas {
  let width: Int
  let height: Int
  private(set) var labels: [UInt8]
  /// Pixels that lie in shapes of several classes of which none lies wholly inside the other.
  private(set) var overlaps = 0

  /// For each pixel the number of the shape drawn last, from 1; 0 for none. The highest bit marks those counted in
  /// `overlaps`.
  private var owners: [UInt32]
  /// For each shape the one that it lies wholly inside, 0 for none.
  private var parents: [UInt32] = [0]
  /// For each shape how many it lies inside.
  private var depths: [UInt32] = [0]

  private static let isCounted: UInt32 = 1 << 31

  init(width: Int, height: Int, outside: UInt8) {
    (self.width, self.height) = (width, height)
    labels = Array(repeating: outside, count: width * height)
    owners = Array(repeating: 0, count: width * height)
  }

  /// Pixels in a row or a column: the first, how many, and how far one is from the next.
  struct Run {
    var first: Int
    var count: Int
    var step: Int

    /// Pixels of a row of a picture.
    init(row: Int, _ columns: Range<Int>, width: Int) {
      (first, count, step) = (row * width + columns.lowerBound, columns.count, 1)
    }

    /// Pixels of a column of a picture.
    init(column: Int, _ rows: Range<Int>, width: Int) {
      (first, count, step) = (rows.lowerBound * width + column, rows.count, width)
    }
  }

  /// - Parameter forEachRun: calls its argument with the pixels, the same each time
  mutating func fill(_ label: UInt8, forEachRun: (_ body: (Run) -> Void) -> Void) {
    let number = UInt32(parents.count)
    let parent = self.parent(of: forEachRun)
    parents.append(parent)
    depths.append(depths[Int(parent)] + 1)
    forEachRun { run in
      var position = run.first
      for _ in 0..<run.count {
        let owner = owners[position]
        let shape = owner & ~Self.isCounted
        let isOverlap = shape != 0 && shape != number && shape != parent && labels[position] != label
        if isOverlap && shape == owner { overlaps += 1 }
        owners[position] = number | owner & Self.isCounted | (isOverlap ? Self.isCounted : 0)
        labels[position] = label
        position += run.step
      }
    }
  }

  /// The innermost shape that all pixels lie in; 0 for none.
  private func parent(of forEachRun: (_ body: (Run) -> Void) -> Void) -> UInt32 {
    var found: UInt32?
    var (last, seen) = (UInt32.max, Set<UInt32>())
    forEachRun { run in
      var position = run.first
      for _ in 0..<run.count where found != 0 {
        let shape = owners[position] & ~Self.isCounted
        position += run.step
        guard shape != last else { continue }
        last = shape
        if seen.insert(shape).inserted { found = found.map { common($0, shape) } ?? shape }
      }
    }
    return found ?? 0
  }

  /// The innermost shape that two others lie in, or one of them in the other.
  private func common(_ a: UInt32, _ b: UInt32) -> UInt32 {
    var (a, b) = (a, b)
    while depths[Int(a)] > depths[Int(b)] { a = parents[Int(a)] }
    while depths[Int(b)] > depths[Int(a)] { b = parents[Int(b)] }
    while a != b { (a, b) = (parents[Int(a)], parents[Int(b)]) }
    return a
  }
}

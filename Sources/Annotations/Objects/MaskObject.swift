import Foundation
import Images

/// A connected area of a class, measured.
public struct MaskObject: Sendable, Equatable {
  /// 1, 2, … in the order of the objects' first pixels, row by row.
  public var number: Int
  /// Label of the class.
  public var label: UInt8
  /// Number of pixels.
  public var area: Int
  /// Mean place of the pixels; the centre of the left top one is (0, 0), as scikit-image has it.
  public var centroid: Point
  /// The smallest rectangle around it, in pixels: left, top, width and height.
  public var box: (x: Int, y: Int, width: Int, height: Int)
  /// Length of the border in pixels by the rule of scikit-image's `perimeter` with 4 neighbours: border pixels count 1,
  /// √2 or (1 + √2) / 2 by how they are joined (K. Benkrid, D. Crookes, "Design and FPGA implementation of a perimeter
  /// estimator", 2000).
  public var perimeter: Double
  /// Mean over its pixels, where an uncertainty was given.
  public var uncertainty: Double?

  /// Diameter of the circle of the same area, in pixels.
  public var equivalentDiameter: Double { (4 * Double(area) / Double.pi).squareRoot() }

  public static func == (a: MaskObject, b: MaskObject) -> Bool {
    a.number == b.number && a.label == b.label && a.area == b.area && a.centroid == b.centroid
      && a.box == b.box && a.perimeter == b.perimeter && a.uncertainty == b.uncertainty
  }
}

extension LabelMask {
  /// The connected areas of a mask, measured, in the order of their first pixels.
  /// - Parameters:
  ///   - skipped: labels that are no objects, such as those of the background and of pixels to ignore
  ///   - connectivity: which pixels are neighbours
  ///   - uncertainty: a number a pixel, row by row
  /// - Returns: the objects, numbered from 1
  /// - Precondition: there is an uncertainty for each pixel, if there is any.
  public func objects(
    skipping skipped: Set<UInt8>, connectivity: Connectivity = .eight, uncertainty: [Float]? = nil
  ) -> [MaskObject] {
    precondition(
      uncertainty.map { $0.count == labels.count } ?? true,
      "\(uncertainty?.count ?? 0) uncertainties for a mask of \(width)×\(height)")
    let components = ConnectedComponents(self, connectivity: connectivity)
    var sums = components.first.map { _ in ComponentSums() }
    let borders = BorderPixels(components)
    for position in labels.indices where !skipped.contains(labels[position]) {
      let (x, y) = (position % width, position / width)
      sums[components[position]].add(
        x, y, uncertainty: uncertainty.map { Double($0[position]) } ?? 0, border: borders.kind(x, y))
    }
    var objects: [MaskObject] = []
    for (index, sum) in sums.enumerated() where sum.area > 0 {
      let area = Double(sum.area)
      objects.append(
        MaskObject(
          number: objects.count + 1, label: labels[components.first[index]], area: sum.area,
          centroid: Point(Double(sum.x) / area, Double(sum.y) / area),
          box: (sum.left, sum.top, sum.right - sum.left + 1, sum.bottom - sum.top + 1),
          perimeter: sum.perimeter, uncertainty: uncertainty == nil ? nil : sum.uncertainty / area))
    }
    return objects
  }
}

/// Which pixels of a component have a neighbour beyond it, and how these are joined.
private struct BorderPixels {
  enum Kind { case none, straight, diagonal, mixed }

  let components: ConnectedComponents
  private let isBorder: [Bool]

  init(_ components: ConnectedComponents) {
    self.components = components
    let (width, height, numbers) = (components.width, components.height, components.numbers)
    isBorder = numbers.indices.map { position in
      let (x, y, own) = (position % width, position / width, numbers[position])
      return x == 0 || y == 0 || x == width - 1 || y == height - 1 || numbers[position - 1] != own
        || numbers[position + 1] != own || numbers[position - width] != own
        || numbers[position + width] != own
    }
  }

  private func isBorder(_ x: Int, _ y: Int, of own: Int) -> Bool {
    guard x >= 0, y >= 0, x < components.width, y < components.height else { return false }
    let position = y * components.width + x
    return isBorder[position] && components[position] == own
  }

  /// By the sum of 2 for each border pixel beside, above or below, 10 for each at a corner, and 1.
  func kind(_ x: Int, _ y: Int) -> Kind {
    let own = components[y * components.width + x]
    guard isBorder(x, y, of: own) else { return .none }
    var sum = 1
    for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] where isBorder(x + dx, y + dy, of: own) { sum += 2 }
    for (dx, dy) in [(1, 1), (-1, 1), (1, -1), (-1, -1)] where isBorder(x + dx, y + dy, of: own) { sum += 10 }
    return switch sum {
    case 5, 7, 15, 17, 25, 27: .straight
    case 21, 33: .diagonal
    case 13, 23: .mixed
    default: .none
    }
  }
}

private struct ComponentSums {
  var area = 0
  var (x, y) = (0, 0)
  var (left, top, right, bottom) = (Int.max, Int.max, 0, 0)
  var (straight, diagonal, mixed) = (0, 0, 0)
  var uncertainty = 0.0

  mutating func add(_ x: Int, _ y: Int, uncertainty: Double, border: BorderPixels.Kind) {
    area += 1
    self.x += x
    self.y += y
    (left, right) = (min(left, x), max(right, x))
    (top, bottom) = (min(top, y), max(bottom, y))
    self.uncertainty += uncertainty
    switch border {
    case .none: break
    case .straight: straight += 1
    case .diagonal: diagonal += 1
    case .mixed: mixed += 1
    }
  }

  var perimeter: Double {
    Double(straight) + Double(diagonal) * 2.0.squareRoot() + Double(mixed) * (1 + 2.0.squareRoot()) / 2
  }
}

import Base
import Images

/// A picture's labels as drawn shapes: what all formats are read into and written from.
public struct AnnotatedPicture: Sendable, Hashable {
  /// Path of the picture as the file has it, relative to the folder of pictures.
  public var name: String
  /// In pixels; nil where the format does not say (GeoJSON).
  public var width: Int?
  /// In pixels; nil where the format does not say (GeoJSON).
  public var height: Int?
  /// In the order in which they are drawn: later ones cover earlier ones.
  public var shapes: [Shape]

  /// One area of a class.
  public struct Shape: Sendable, Hashable {
    /// Name of its class.
    public var className: String
    public var geometry: Geometry
    /// Where it stands in the file, for messages: `annotations[3]`.
    public var item: String

    public init(className: String, geometry: Geometry, item: String = "") {
      self.className = className
      self.geometry = geometry
      self.item = item
    }
  }

  /// The form of an area.
  public enum Geometry: Sendable, Hashable {
    /// All of these together.
    case polygons([Polygon])
    case runLengths(RunLengths)
    case patch(MaskPatch)

    /// In pixels.
    var area: Double {
      switch self {
      case .polygons(let polygons): polygons.reduce(0) { $0 + $1.area }
      case .runLengths(let runs): Double(runs.area)
      case .patch(let patch): Double(patch.area)
      }
    }
  }

  public init(name: String, width: Int?, height: Int?, shapes: [Shape]) {
    self.name = name
    self.width = width
    self.height = height
    self.shapes = shapes
  }
}

/// The names that shapes may bear, and what pixels are that lie in no shape.
public struct ShapeLabels: Sendable, Hashable {
  /// By label.
  public var names: [String]
  /// Label of pixels that are not used.
  public var ignoreLabel: UInt8
  /// Whether shapes of other names are left out with a notice rather than refused.
  public var ignoresUnknown: Bool

  /// The name that pixels to ignore have in files; QuPath's is `Ignore*`, labelme's `__ignore__`.
  public static let ignoreNames: Set<String> = ["__ignore__", "Ignore*"]
  private static let backgroundNames: Set<String> = ["background", "_background_", "__background__", "bg"]

  public init(names: [String], ignoreLabel: UInt8 = LabelMask.ignoreLabel, ignoresUnknown: Bool = false) {
    precondition((1...255).contains(names.count), "\(names.count) classes")
    self.names = names
    self.ignoreLabel = ignoreLabel
    self.ignoresUnknown = ignoresUnknown
  }

  /// Whether a name is that of the background: `background`, `_background_`, `__background__` or `bg`, in any case.
  public static func isBackground(_ name: String) -> Bool { backgroundNames.contains(name.lowercased()) }

  /// The class of pixels outside all shapes, if there is one: the class called background.
  public var background: UInt8? {
    names.firstIndex { Self.isBackground($0) }.map { UInt8($0) }
  }

  /// The label of pixels outside all shapes: the background, or that to ignore.
  public var outside: UInt8 { background ?? ignoreLabel }

  func label(of name: String) -> UInt8? {
    if let index = names.firstIndex(of: name) { return UInt8(index) }
    if Self.ignoreNames.contains(name) { return ignoreLabel }
    return Self.isBackground(name) ? background : nil
  }
}

extension AnnotatedPicture {
  /// Draws the shapes in order into a mask; pixels outside all of them get `labels.outside`.
  /// - Parameters:
  ///   - labels: what the names of classes stand for
  ///   - width: of the picture, in pixels
  ///   - height: of the picture, in pixels
  ///   - file: stands in messages
  ///   - notices: told of pixels that several classes cover, unless one shape lies wholly inside an earlier one, of shapes
  ///     cut off at the border, and of names left out
  /// - Returns: a mask of that size
  /// - Throws: `DataError` of kind `.malformed` when the file has the picture in another size, naming all unknown classes,
  ///   or for run lengths of another size.
  public func mask(
    _ labels: ShapeLabels, width: Int, height: Int, file: String, notices: Notices = Notices()
  ) throws(DataError) -> LabelMask {
    _ = try checkedPixels(width: width, height: height, file: file, item: name)
    guard (self.width ?? width, self.height ?? height) == (width, height) else {
      throw DataError(
        .malformed, file: file, item: "size of \(name)", expected: "\(width)×\(height), that of the picture",
        found: "\(self.width ?? width)×\(self.height ?? height)")
    }
    var canvas = ShapeCanvas(width: width, height: height, outside: labels.outside)
    var unknown: [String] = []
    var cut = 0
    for shape in shapes {
      guard let label = labels.label(of: shape.className) else {
        if !unknown.contains(shape.className) { unknown.append(shape.className) }
        continue
      }
      switch shape.geometry {
      case .polygons(let polygons):
        if polygons.contains(where: { $0.leaves(width: width, height: height) }) { cut += 1 }
        canvas.fill(label) { body in
          for polygon in polygons {
            polygon.forEachSpan(width: width, height: height) { body(.init(row: $0, $1, width: width)) }
          }
        }
      case .runLengths(let runs):
        guard (runs.width, runs.height) == (width, height) else {
          throw DataError(
            .malformed, file: file, item: shape.item, expected: "run lengths of \(width)×\(height)",
            found: "\(runs.width)×\(runs.height)")
        }
        canvas.fill(label) { body in runs.forEachRun { body(.init(column: $0, $1, width: width)) } }
      case .patch(let patch):
        if patch.leaves(width: width, height: height) { cut += 1 }
        canvas.fill(label) { body in
          patch.forEachSpan(width: width, height: height) { body(.init(row: $0, $1, width: width)) }
        }
      }
    }
    if !unknown.isEmpty {
      let error = DataError(
        .malformed, file: file, item: "classes of \(name)",
        expected: "names of classes (\(labels.names.joined(separator: ", ")))",
        found: unknown.map { "\"\($0)\"" }.joined(separator: ", "))
      guard labels.ignoresUnknown else { throw error }
      notices.add(.leftOut, file: file, item: error.item, "shapes of unknown classes: \(error.found)")
    }
    if cut > 0 {
      notices.add(
        .changed, file: file, item: name, "\(cut) shapes reach beyond the picture and are cut off there")
    }
    if canvas.overlaps > 0 {
      notices.add(
        .changed, file: file, item: name,
        "\(canvas.overlaps) pixels lie in shapes of several classes; the one drawn last counts")
    }
    return LabelMask(width: width, height: height, labels: canvas.labels)
  }

  /// The shapes of a mask: one for each 4-connected area of a class, larger ones first.
  ///
  /// The background (`labels.outside`) is what lies in no shape, so only areas of it within others' holes are shapes;
  /// all others are, the ignored pixels as `ignoreName`. Drawn in order, even as outlines without their holes, they give
  /// the mask again.
  /// - Parameters:
  ///   - mask: the labels
  ///   - name: path of the picture
  ///   - labels: names of the classes
  ///   - ignoreName: name for pixels to ignore
  /// - Throws: `DataError` of kind `.malformed` for a label that is no class.
  public init(
    _ mask: LabelMask, name: String, labels: ShapeLabels, ignoreName: String = "__ignore__"
  ) throws(DataError) {
    var found: [(size: Double, shape: Shape)] = []
    for region in mask.regions() {
      let className: String
      if region.label == labels.ignoreLabel {
        className = ignoreName
      } else if Int(region.label) < labels.names.count {
        className = labels.names[Int(region.label)]
      } else {
        throw DataError(
          .malformed, file: name, item: "label", expected: "a class from 0 to \(labels.names.count - 1)",
          found: "\(region.label)")
      }
      let outline = region.polygon.rings[0]
      if region.label == labels.outside,
        outline.contains(where: {
          $0.x == 0 || $0.y == 0 || $0.x == Double(mask.width) || $0.y == Double(mask.height)
        })
      {
        continue
      }
      found.append(
        (abs(Polygon.signedArea(outline)), Shape(className: className, geometry: .polygons([region.polygon])))
      )
    }
    // What lies in a hole has a smaller outline than what lies around it.
    let order = found.indices.sorted { (-found[$0].size, $0) < (-found[$1].size, $1) }
    self.init(name: name, width: mask.width, height: mask.height, shapes: order.map { found[$0].shape })
  }
}

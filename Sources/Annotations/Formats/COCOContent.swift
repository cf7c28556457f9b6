import Base
import Images

extension COCOFile {
  /// The JSON, under its own names.
  struct Content: Codable {
    struct Picture: Codable {
      var id: Int
      var fileName: String
      var width: Int
      var height: Int

      enum CodingKeys: String, CodingKey {
        case id, width, height
        case fileName = "file_name"
      }
    }

    struct Category: Codable {
      var id: Int
      var name: String
    }

    struct Annotation: Codable {
      var id: Int?
      var imageId: Int
      var categoryId: Int
      var iscrowd: Int?
      var area: Double?
      var bbox: [Double]?
      var segmentation: Segmentation?

      enum CodingKeys: String, CodingKey {
        case id, iscrowd, area, bbox, segmentation
        case imageId = "image_id"
        case categoryId = "category_id"
      }
    }

    var images: [Picture]
    var annotations: [Annotation]
    var categories: [Category]
  }

  /// Polygons as lists of x and y in turn, or run lengths.
  enum Segmentation: Codable {
    case polygons([[Double]])
    case counts(size: [Int], counts: [Int])
    case compressed(size: [Int], counts: String)

    private enum Key: String, CodingKey { case size, counts }

    init(from decoder: any Decoder) throws {
      guard let object = try? decoder.container(keyedBy: Key.self) else {
        self = .polygons(try decoder.singleValueContainer().decode([[Double]].self))
        return
      }
      let size = try object.decode([Int].self, forKey: .size)
      if let text = try? object.decode(String.self, forKey: .counts) {
        self = .compressed(size: size, counts: text)
      } else {
        self = .counts(size: size, counts: try object.decode([Int].self, forKey: .counts))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .polygons(let rings):
        var container = encoder.singleValueContainer()
        try container.encode(rings)
      case .counts(let size, let counts):
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(size, forKey: .size)
        try container.encode(counts, forKey: .counts)
      case .compressed(let size, let counts):
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(size, forKey: .size)
        try container.encode(counts, forKey: .counts)
      }
    }

    /// Nil when there is no area.
    func geometry(
      of picture: AnnotatedPicture, file: String, item: String
    ) throws(DataError) -> AnnotatedPicture.Geometry? {
      func sides(_ size: [Int]) throws(DataError) -> (height: Int, width: Int) {
        guard size == [picture.height, picture.width] else {
          throw DataError(
            .malformed, file: file, item: "\(item).size",
            expected: "[\(picture.height ?? 0), \(picture.width ?? 0)], height and width of \(picture.name)",
            found: "\(size.prefix(4))")
        }
        return (size[0], size[1])
      }
      switch self {
      case .polygons(let lists):
        guard !lists.isEmpty else { return nil }
        var polygons: [Polygon] = []
        for list in lists {
          guard list.count % 2 == 0, list.count >= 6 else {
            throw DataError(
              .malformed, file: file, item: item, expected: "x and y of at least 3 corners",
              found: "\(list.count) numbers")
          }
          let polygon = Polygon(rings: [
            stride(from: 0, to: list.count, by: 2).map { Point(list[$0], list[$0 + 1]) }
          ])
          try polygon.check(file: file, item: item)
          polygons.append(polygon)
        }
        return .polygons(polygons)
      case .counts(let size, let counts):
        let (height, width) = try sides(size)
        return .runLengths(
          try RunLengths(width: width, height: height, counts: counts, file: file, item: "\(item).counts"))
      case .compressed(let size, let text):
        let (height, width) = try sides(size)
        return .runLengths(
          try RunLengths(width: width, height: height, compressed: text, file: file, item: "\(item).counts"))
      }
    }
  }
}

extension COCOFile.Content.Annotation {
  init(
    _ shape: AnnotatedPicture.Shape, id: Int, image: Int, category: Int, width: Int, height: Int
  ) {
    let runs: RunLengths
    var polygons: [Polygon] = []
    switch shape.geometry {
    case .runLengths(let given): runs = given
    case .patch(let given): runs = RunLengths(given, width: width, height: height)
    case .polygons(let given):
      polygons = given
      runs = RunLengths(given, width: width, height: height)
    }
    self.init(id: id, imageId: image, categoryId: category, iscrowd: 0)
    area = Double(runs.area)
    bbox = runs.box
    segmentation =
      polygons.isEmpty || polygons.contains { $0.rings.count > 1 }
      ? .compressed(size: [height, width], counts: runs.compressed)
      : .polygons(polygons.map { $0.rings[0].flatMap { [$0.x, $0.y] } })
  }
}

extension RunLengths {
  /// Left, top, width and height of the pixels inside.
  fileprivate var box: [Double] {
    var (left, top, right, bottom) = (width, height, 0, 0)
    forEachRun { column, rows in
      (left, right) = (min(left, column), max(right, column + 1))
      (top, bottom) = (min(top, rows.lowerBound), max(bottom, rows.upperBound))
    }
    return right > left ? [left, top, right - left, bottom - top].map(Double.init) : [0, 0, 0, 0]
  }
}

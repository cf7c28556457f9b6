import Images

extension GeoJSONFile {
  /// The JSON, under its own names.
  struct Collection: Codable {
    struct Feature: Codable {
      var type = "Feature"
      var geometry: Geometry
      var properties: Properties?

      enum CodingKeys: String, CodingKey { case type, geometry, properties }
    }

    struct Properties: Codable {
      var objectType: String?
      var classification: Classification?
    }

    struct Classification: Codable {
      var name: String?
      var color: Color?
      /// Packed colour of QuPath before 0.4.
      var colorRGB: Int?

      /// Alpha, where there is one, is dropped.
      var rgb: RGB? {
        switch (color, colorRGB) {
        case (.samples(let samples)?, _):
          samples.count == 3 && samples.allSatisfy { (0...255).contains($0) }
            ? RGB(UInt8(samples[0]), UInt8(samples[1]), UInt8(samples[2])) : nil
        case (.packed(let value)?, _), (nil, let value?):
          RGB(UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255))
        case (nil, nil): nil
        }
      }
    }

    enum Color: Codable {
      case samples([Int])
      case packed(Int)

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let samples = try? container.decode([Int].self) {
          self = .samples(samples)
        } else {
          self = .packed(try container.decode(Int.self))
        }
      }

      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .samples(let samples): try container.encode(samples)
        case .packed(let value): try container.encode(value)
        }
      }
    }

    /// Polygons as lists of rings, lists of pairs.
    enum Geometry: Codable {
      case polygons([[[[Double]]]])
      case other(String)

      private enum Key: String, CodingKey { case type, coordinates }

      init(from decoder: any Decoder) throws {
        let object = try decoder.container(keyedBy: Key.self)
        let type = try object.decode(String.self, forKey: .type)
        switch type {
        case "Polygon": self = .polygons([try object.decode([[[Double]]].self, forKey: .coordinates)])
        case "MultiPolygon": self = .polygons(try object.decode([[[[Double]]]].self, forKey: .coordinates))
        default: self = .other(type)
        }
      }

      func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        switch self {
        case .polygons(let polygons) where polygons.count == 1:
          try object.encode("Polygon", forKey: .type)
          try object.encode(polygons[0], forKey: .coordinates)
        case .polygons(let polygons):
          try object.encode("MultiPolygon", forKey: .type)
          try object.encode(polygons, forKey: .coordinates)
        case .other(let type): try object.encode(type, forKey: .type)
        }
      }
    }

    var type = "FeatureCollection"
    var features: [Feature]

    private enum Key: String, CodingKey { case type, features }

    init(features: [Feature]) { self.features = features }

    init(from decoder: any Decoder) throws {
      if let object = try? decoder.container(keyedBy: Key.self) {
        features = try object.decode([Feature].self, forKey: .features)
      } else {
        features = try decoder.singleValueContainer().decode([Feature].self)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(type, forKey: .type)
      try object.encode(features, forKey: .features)
    }
  }
}

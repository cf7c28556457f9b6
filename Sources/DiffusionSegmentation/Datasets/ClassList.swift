import Augment
import Base
import Foundation
import Images

/// The classes of a labelling: their number, names and colours, and the ignored label.
public struct ClassList: Sendable, Equatable {
  /// One a class, in the order of their labels.
  public let names: [String]
  /// Colours of the labels.
  public let palette: Palette
  /// Label of pixels that are not used for training. It may be a class number; that class is then left out of
  /// the training, and of the metric too.
  public let ignoreLabel: UInt8
  /// Classes that change places when a picture is mirrored, such as left and right eye.
  public let flipPairs: ClassPairs
  /// What masks have for the classes, where that is not their numbers: `[0, 255]` for masks of black and white. These
  /// values come before the label to ignore.
  public let maskValues: [UInt8]?

  /// Number of classes.
  public var count: Int { names.count }

  /// Classes named `class 0`, `class 1`, … in well distinguishable colours.
  /// - Precondition: 1 to 255 classes.
  public init(count: Int, ignoreLabel: UInt8 = LabelMask.ignoreLabel) {
    precondition((1...255).contains(count), "\(count) classes")
    self.init(
      names: (0..<count).map { "class \($0)" }, palette: .distinct(count: count), ignoreLabel: ignoreLabel)
  }

  /// - Precondition: 1 to 255 names, as many colours, and as many different mask values if there are any.
  public init(
    names: [String], palette: Palette, ignoreLabel: UInt8 = LabelMask.ignoreLabel,
    flipPairs: ClassPairs = .none, maskValues: [UInt8]? = nil
  ) {
    precondition(
      (1...255).contains(names.count) && palette.colors.count == names.count,
      "\(names.count) names and \(palette.colors.count) colours")
    self.names = names
    self.palette = palette
    self.ignoreLabel = ignoreLabel
    self.flipPairs = flipPairs
    precondition(
      maskValues.map { $0.count == names.count && Set($0).count == names.count } ?? true,
      "mask values \(maskValues ?? []) for \(names.count) classes")
    self.maskValues = maskValues
  }

  /// The same classes with another label to ignore.
  public func ignoring(_ label: UInt8) -> ClassList {
    ClassList(
      names: names, palette: palette, ignoreLabel: label, flipPairs: flipPairs, maskValues: maskValues)
  }

  /// The same classes with other values in masks.
  /// - Throws: `DataError` of kind `.invalidArgument` when there are more or fewer values than classes, or two are the same.
  public func stored(as values: [UInt8]) throws(DataError) -> ClassList {
    guard values.count == count, Set(values).count == count else {
      throw DataError(
        .invalidArgument, file: "mask values", expected: "\(count) different ones, one a class",
        found: values.map { "\($0)" }.joined(separator: ","))
    }
    return ClassList(
      names: names, palette: palette, ignoreLabel: ignoreLabel, flipPairs: flipPairs, maskValues: values)
  }
}

extension ClassList {
  /// Reads a list of classes:
  /// `{"classes": [{"id": 0, "name": "sky", "color": [0, 0, 255]}, …], "ignore_label": 255}`; colours and the
  /// label to ignore may be left out, ids are 0, 1, 2, … in any order. A class with a `"value"` has that value in masks,
  /// in place of its id: `{"id": 1, "name": "cell", "value": 255}`. `"flip_pairs": [["left eye", "right eye"]]`
  /// names classes that change places when a picture is mirrored.
  ///
  /// A file whose name ends in `.txt` is CVAT's `labelmap.txt`: lines `name:red,green,blue::`.
  /// - Throws: `DataError` naming the entry that is wrong.
  public init(contentsOf path: String) throws(DataError) {
    if path.lowercased().hasSuffix(".txt") {
      self = try Self.labelMap(path)
      return
    }
    let json = try JSONObject(contentsOf: path)
    let entries = try json.objects("classes")
    guard (1...255).contains(entries.count) else {
      throw json.error("classes", expected: "1 to 255 classes", found: "\(entries.count)")
    }
    if let count = try json.integerIfPresent("num_classes"), count != entries.count {
      throw json.error("num_classes", expected: "\(entries.count), the number of classes", found: "\(count)")
    }
    var names = [String?](repeating: nil, count: entries.count)
    var colors = Palette.distinct(count: entries.count).colors
    var values = (0..<entries.count).map { $0 }
    var hasValues = false
    for entry in entries {
      let id = try entry.integer("id")
      guard names.indices.contains(id), names[id] == nil else {
        throw entry.error("id", expected: "each of 0 to \(entries.count - 1) once", found: "\(id)")
      }
      names[id] = try entry.string("name")
      if let value = try entry.integerIfPresent("value") {
        guard (0...255).contains(value) else {
          throw entry.error("value", expected: "0 to 255", found: "\(value)")
        }
        (values[id], hasValues) = (value, true)
      }
      if let color = try entry.integersIfPresent("color") {
        guard color.count == 3, color.allSatisfy({ (0...255).contains($0) }) else {
          throw entry.error("color", expected: "three numbers from 0 to 255", found: "\(color)")
        }
        colors[id] = RGB(UInt8(color[0]), UInt8(color[1]), UInt8(color[2]))
      }
    }
    guard Set(values).count == values.count else {
      throw json.error(
        "classes", expected: "a different value in masks for each class", found: "\(values)")
    }
    let ignore = try json.integerIfPresent("ignore_label") ?? Int(LabelMask.ignoreLabel)
    guard let ignoreLabel = UInt8(exactly: ignore) else {
      throw json.error("ignore_label", expected: "0 to 255", found: "\(ignore)")
    }
    self.init(
      names: names.map { $0! }, palette: Palette(colors: colors), ignoreLabel: ignoreLabel,
      flipPairs: try Self.flipPairs(json, names: names.map { $0! }),
      maskValues: hasValues ? values.map { UInt8($0) } : nil)
  }

  private static func flipPairs(_ json: JSONObject, names: [String]) throws(DataError) -> ClassPairs {
    var seen = Set<Int>()
    var pairs: [(UInt8, UInt8)] = []
    for pair in try json.stringListsIfPresent("flip_pairs") ?? [] {
      guard pair.count == 2 else {
        throw json.error("flip_pairs", expected: "pairs of class names", found: "\(pair)")
      }
      var labels: [Int] = []
      for name in pair {
        guard let label = names.firstIndex(of: name) else {
          throw json.error(
            "flip_pairs", expected: "names of classes (\(names.joined(separator: ", ")))", found: name)
        }
        guard seen.insert(label).inserted else {
          throw json.error("flip_pairs", expected: "each class at most once", found: "\(name) again")
        }
        labels.append(label)
      }
      pairs.append((UInt8(labels[0]), UInt8(labels[1])))
    }
    return ClassPairs(pairs)
  }

  /// Writes the list in that form.
  /// - Throws: `DataError` when the file cannot be written.
  public func write(to path: String) throws(DataError) {
    struct Entry: Encodable {
      var id: Int
      var name: String
      var color: [UInt8]
      var value: UInt8?
    }
    struct Content: Encodable {
      var classes: [Entry]
      var ignoreLabel: UInt8
      var flipPairs: [[String]]?

      enum CodingKeys: String, CodingKey {
        case classes
        case ignoreLabel = "ignore_label"
        case flipPairs = "flip_pairs"
      }
    }
    let entries = names.enumerated().map { id, name in
      let color = palette[UInt8(id)]
      return Entry(id: id, name: name, color: [color.red, color.green, color.blue], value: maskValues?[id])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and small whole numbers can always be encoded.
    let data = try! encoder.encode(
      Content(
        classes: entries, ignoreLabel: ignoreLabel, flipPairs: flipPairNames.isEmpty ? nil : flipPairNames))
    try AtomicFile.write(Array(data), to: path)
  }
}

extension ClassList {
  /// Names of the classes that change places.
  var flipPairNames: [[String]] { flipPairs.pairs.map { $0.map { names[Int($0)] } } }
}

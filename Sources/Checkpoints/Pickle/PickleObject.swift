/// An object that a pickle built. Containers refer to their content by number, so that pickles with
/// shared, cyclic or very deep structures need no recursion, not even to be released.
enum PickleObject {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer of more than 64 bits, little-endian two's complement.
  case wideInteger([UInt8])
  case double(Double)
  case string(String)
  case tuple([PickleReference])
  case list([PickleReference])
  case dictionary(PickleDictionary)
  case global(PickleGlobal)
  // On the side, so that the many small objects stay small.
  indirect case storage(PickleStorage)
  indirect case tensor(PickleTensor)
  indirect case instance(PickleInstance)

  /// What it is, for errors.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .integer, .wideInteger: "an integer"
    case .double: "a float"
    case .string: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .global: "a type or function"
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .instance(let instance): instance.name
    }
  }
}

/// An object that only its class could make: its name, and what the pickle put into it. No code of the class ran.
struct PickleInstance {
  /// Name of the class, or of the function that would have made it.
  var name: String
  /// Items of an object whose class derives from a dictionary.
  var dictionary: PickleDictionary?
  /// Elements of an object whose class derives from a list.
  var list: [PickleReference] = []
  /// Its attributes.
  var state: PickleReference?
}

extension PickleObject: CustomStringConvertible {
  /// A number itself, of other objects their kind.
  var description: String {
    if case .integer(let number) = self { return "\(number)" }
    return kind
  }
}

/// The number of an object on the heap of a pickle machine.
struct PickleReference: Hashable {
  fileprivate let index: Int32

  /// In the heap.
  var position: Int { Int(index) }
}

/// All objects of one pickle.
struct PickleHeap {
  private(set) var objects: [PickleObject] = []

  var count: Int { objects.count }

  mutating func add(_ object: PickleObject) -> PickleReference {
    objects.append(object)
    return PickleReference(index: Int32(objects.count - 1))
  }

  subscript(reference: PickleReference) -> PickleObject {
    _read { yield objects[Int(reference.index)] }
    // In place, so that appending to a list does not copy it.
    _modify { yield &objects[Int(reference.index)] }
  }
}

/// A dictionary that keeps the order of its keys, as Python's do.
struct PickleDictionary {
  enum Key: Hashable {
    case string(String)
    case integer(Int)
    /// A key that only its class could compare: the object itself, and what it is.
    case object(PickleReference, kind: String)

    var text: String {
      switch self {
      case .string(let text): text
      case .integer(let number): String(number)
      case .object(_, let kind): "(\(kind))"
      }
    }
  }

  private(set) var items: [(key: Key, value: PickleReference)] = []
  /// Index of a large dictionary; small ones are searched.
  private var positions: [Key: Int] = [:]

  private static let mostSearched = 8

  /// A key that is there already keeps its place and gets the new value.
  subscript(key: Key) -> PickleReference? {
    get { position(of: key).map { items[$0].value } }
    set {
      guard let newValue else { return }
      if let position = position(of: key) {
        items[position].value = newValue
        return
      }
      items.append((key, newValue))
      if items.count == Self.mostSearched + 1 {
        for (position, item) in items.enumerated() { positions[item.key] = position }
      } else if items.count > Self.mostSearched {
        positions[key] = items.count - 1
      }
    }
  }

  private func position(of key: Key) -> Int? {
    items.count > Self.mostSearched ? positions[key] : items.firstIndex { $0.key == key }
  }
}

/// A storage that a pickle names; its bytes lie elsewhere in the file.
struct PickleStorage {
  /// Its name among the storages of the file.
  var key: String
  var elementType: ElementType
  /// Number of elements.
  var count: Int
  /// The part of it that is meant, in elements, when this is a view of another storage.
  var view: Range<Int>?
}

/// A tensor that a pickle describes: a view of a storage. Nothing of it has been checked yet.
struct PickleTensor {
  var storage: PickleStorage
  var elementType: ElementType
  /// Place of the first element, in elements.
  var offset: Int
  var shape: [Int]
  /// In elements.
  var strides: [Int]
}

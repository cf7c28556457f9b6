/// The names that a pickle may refer to. Those that mean something here are the whole list: every other name is kept as
/// a name, is never looked up and never called.
enum PickleGlobal {
  /// `collections.OrderedDict`, made by calling it.
  case orderedDictionary
  /// `torch.Size`, a tuple.
  case size
  /// The functions that make a tensor from a storage, by their version.
  case rebuildTensor(version: Int)
  /// The functions that make a parameter from a tensor.
  case rebuildParameter
  /// A typed storage; `nil` for bytes without a type.
  case storage(ElementType?)
  /// `torch.float32` and the like.
  case elementType(ElementType)
  /// The function that makes a tensor of a subclass from one that another function makes.
  case rebuildFromType
  /// The function of protocols 0 and 1 that makes an object of a class.
  case reconstructor
  /// A class or function that means nothing here.
  case unknown(String)

  private static let longestName = 200

  init(module: String, name: String) {
    self =
      Self.known(module: module, name: name)
      ?? .unknown(String("\(module.prefix(Self.longestName)).\(name.prefix(Self.longestName))"))
  }

  private static func known(module: String, name: String) -> PickleGlobal? {
    // Longer ones are no names, and comparing them again and again would take time.
    guard module.utf8.count + name.utf8.count <= longestName else { return nil }
    switch (module, name) {
    case ("collections", "OrderedDict"): return .orderedDictionary
    case ("torch", "Size"): return .size
    case ("torch._utils", "_rebuild_tensor"): return .rebuildTensor(version: 1)
    case ("torch._utils", "_rebuild_tensor_v2"): return .rebuildTensor(version: 2)
    case ("torch._utils", "_rebuild_tensor_v3"): return .rebuildTensor(version: 3)
    case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"):
      return .rebuildParameter
    case ("torch._tensor", "_rebuild_from_type_v2"): return .rebuildFromType
    case ("copyreg", "_reconstructor"), ("copy_reg", "_reconstructor"): return .reconstructor
    case ("torch", "UntypedStorage"), ("torch.storage", "UntypedStorage"): return .storage(nil)
    case ("torch", let name), ("torch.cuda", let name):
      if let type = storageTypes[name] { return .storage(type) }
      return ElementType(rawValue: name).map { .elementType($0) }
    default: return nil
    }
  }

  /// Bytes of an element of the storages that are not read.
  static let otherElementSizes = [
    "torch.ComplexFloatStorage": 8, "torch.ComplexDoubleStorage": 16, "torch.QInt8Storage": 1,
    "torch.QUInt8Storage": 1, "torch.QInt32Storage": 4,
  ]

  private static let storageTypes: [String: ElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
    "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
  ]
}

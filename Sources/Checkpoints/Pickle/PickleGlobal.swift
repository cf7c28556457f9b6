/// The names that a pickle may refer to. This list is the whole of it: what is not here is never
/// looked up, let alone called.
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

  /// - Returns: nil for everything that is not allowed.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch", "Size"): self = .size
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor(version: 1)
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor(version: 2)
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTensor(version: 3)
    case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"):
      self = .rebuildParameter
    case ("torch", "UntypedStorage"), ("torch.storage", "UntypedStorage"): self = .storage(nil)
    case ("torch", let name):
      if let type = Self.storageTypes[name] {
        self = .storage(type)
      } else if let type = ElementType(rawValue: name) {
        self = .elementType(type)
      } else {
        return nil
      }
    default: return nil
    }
  }

  private static let storageTypes: [String: ElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
    "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
  ]
}

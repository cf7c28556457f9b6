import TensorCore

/// The few calls that a pickle may make.
extension PickleMachine {
  mutating func pushGlobal(module: String, name: String, isCalled: Bool = false) throws(DataError) {
    guard let global = PickleGlobal(module: module, name: name), !isCalled else {
      throw refused("the global \(module).\(name)")
    }
    push(.global(global))
  }

  mutating func pushStackGlobal() throws(DataError) {
    let name = heap[try pop()]
    let module = heap[try pop()]
    guard case .string(let name) = name, case .string(let module) = module else {
      throw malformed(expected: "the name of a global", found: "\(module.kind) and \(name.kind)")
    }
    try pushGlobal(module: module, name: name)
  }

  /// Calls a global with a tuple of arguments.
  mutating func reduce() throws(DataError) {
    let arguments = try tuple(pop(), "arguments")
    let callee = heap[try pop()]
    guard case .global(let global) = callee else {
      throw malformed(expected: "a function to call", found: callee.kind)
    }
    switch global {
    case .orderedDictionary: try pushOrderedDictionary(arguments)
    case .size:
      guard arguments.count == 1 else { throw wrongArguments("torch.Size", arguments) }
      push(.tuple(try tuple(arguments[0], "a size")))
    case .rebuildTensor(let version): push(.tensor(try rebuildTensor(arguments, version: version)))
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = heap[first] else {
        throw wrongArguments("_rebuild_parameter", arguments)
      }
      push(first)
    case .storage, .elementType: throw refused("a call of a storage or element type")
    }
  }

  /// Sets the attributes of an object. Module versions, which PyTorch keeps as an attribute of state
  /// dictionaries, are of no use here; nothing else may have attributes.
  mutating func build() throws(DataError) {
    let state = heap[try pop()]
    let target = heap[try top()]
    guard case .dictionary = target, case .dictionary = state else {
      throw refused("attributes on \(target.kind)")
    }
  }

  /// Turns a persistent id, ("storage", type, key, device, count[, view]), into a storage.
  mutating func pushStorage() throws(DataError) {
    let fields = try tuple(pop(), "a persistent id")
    guard fields.count == 5 || fields.count == 6, case .string(let kind) = heap[fields[0]] else {
      throw malformed(expected: "the id of a storage", found: "\(fields.count) fields")
    }
    guard kind == "storage" else { throw refused("a \(kind)") }
    guard case .global(.storage(let type)) = heap[fields[1]], case .string(let key) = heap[fields[2]] else {
      throw malformed(
        expected: "the type and key of a storage",
        found: "\(heap[fields[1]].kind) and \(heap[fields[2]].kind)")
    }
    var storage = PickleStorage(
      key: key, elementType: type ?? .uint8, count: try natural(fields[4], "a count"))
    if fields.count == 6, case .tuple(let view) = heap[fields[5]] {
      guard view.count == 3 else {
        throw malformed(expected: "a view of a storage", found: "\(view.count) fields")
      }
      let offset = try natural(view[1], "an offset")
      let count = try natural(view[2], "a count")
      guard offset <= storage.count, count <= storage.count - offset else {
        throw malformed(
          expected: "a view inside storage \(key) of \(storage.count) elements",
          found: "\(count) from \(offset) on")
      }
      storage.view = offset..<offset + count
    }
    push(.storage(storage))
  }

  private mutating func pushOrderedDictionary(_ arguments: [PickleReference]) throws(DataError) {
    guard arguments.count <= 1 else { throw wrongArguments("collections.OrderedDict", arguments) }
    push(.dictionary(PickleDictionary()))
    guard let argument = arguments.first else { return }
    // Python 2 passes the items as a list of pairs.
    guard case .list(let pairs) = heap[argument] else {
      throw wrongArguments("collections.OrderedDict", arguments)
    }
    try spend(pairs.count)
    var items: [PickleReference] = []
    for pair in pairs {
      let elements: [PickleReference]
      switch heap[pair] {
      case .list(let pair), .tuple(let pair): elements = pair
      default: throw wrongArguments("collections.OrderedDict", arguments)
      }
      guard elements.count == 2 else { throw wrongArguments("collections.OrderedDict", arguments) }
      items += elements
    }
    try setItems(items)
  }

  /// `_rebuild_tensor(storage, offset, size, stride)`, followed in version 2 by
  /// `requires_grad, backward_hooks[, metadata]`, in version 3 by
  /// `requires_grad, backward_hooks, dtype[, metadata]`.
  private func rebuildTensor(_ arguments: [PickleReference], version: Int) throws(DataError) -> PickleTensor {
    let counts = [1: 4...4, 2: 6...7, 3: 7...8]
    guard let allowed = counts[version], allowed.contains(arguments.count),
      case .storage(let storage) = heap[arguments[0]]
    else { throw wrongArguments("_rebuild_tensor", arguments) }
    var elementType = storage.elementType
    if version == 3 {
      guard case .global(.elementType(let type)) = heap[arguments[6]] else {
        throw wrongArguments("_rebuild_tensor_v3", arguments)
      }
      elementType = type
    }
    // The metadata say that the numbers are to be conjugated or negated.
    if version > 1, arguments.count == allowed.upperBound, let metadata = arguments.last {
      switch heap[metadata] {
      case .none: break
      case .dictionary(let flags) where flags.items.isEmpty: break
      default: throw refused("a tensor with metadata (conjugated or negated)")
      }
    }
    return PickleTensor(
      storage: storage, elementType: elementType, offset: try natural(arguments[1], "an offset"),
      shape: try naturals(arguments[2], "a shape"), strides: try naturals(arguments[3], "strides"))
  }

  // MARK: Arguments

  private func tuple(_ reference: PickleReference, _ what: String) throws(DataError) -> [PickleReference] {
    guard case .tuple(let elements) = heap[reference] else {
      throw malformed(expected: "\(what) as a tuple", found: heap[reference].kind)
    }
    return elements
  }

  private func natural(_ reference: PickleReference, _ what: String) throws(DataError) -> Int {
    guard case .integer(let number) = heap[reference], number >= 0 else {
      throw malformed(expected: "\(what), a whole number of at least 0", found: "\(heap[reference])")
    }
    return number
  }

  private func naturals(_ reference: PickleReference, _ what: String) throws(DataError) -> [Int] {
    let elements = try tuple(reference, what)
    guard elements.count <= ArrayLayout.maximumRank else {
      throw malformed(
        expected: "\(what) of at most \(ArrayLayout.maximumRank) dimensions", found: "\(elements.count)")
    }
    var numbers: [Int] = []
    for element in elements { numbers.append(try natural(element, what)) }
    return numbers
  }

  private func wrongArguments(_ function: String, _ arguments: [PickleReference]) -> DataError {
    malformed(
      expected: "the arguments of \(function)",
      found: arguments.isEmpty ? "none" : arguments.prefix(8).map { heap[$0].kind }.joined(separator: ", "))
  }
}

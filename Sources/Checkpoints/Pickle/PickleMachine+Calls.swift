import Base

/// The few calls that mean something, and what stands in for the result of all others.
extension PickleMachine {
  mutating func pushGlobal(module: String, name: String) throws(DataError) {
    // Names are kept, and a long one can come many times.
    try spend((module.utf8.count + name.utf8.count) / Limit.nameBytesAnInstruction)
    push(.global(PickleGlobal(module: module, name: name)))
  }

  mutating func pushStackGlobal() throws(DataError) {
    let name = heap[try pop()]
    let module = heap[try pop()]
    guard case .string(let name) = name, case .string(let module) = module else {
      throw malformed(expected: "the name of a global", found: "\(module.kind) and \(name.kind)")
    }
    try pushGlobal(module: module, name: name)
  }

  /// A name of `copyreg`'s registry, which is not in the file.
  mutating func pushExtension(_ number: Int) {
    push(.global(.unknown("extension \(number)")))
  }

  /// Calls a global with a tuple of arguments.
  mutating func reduce() throws(DataError) {
    let arguments = try tuple(pop(), "arguments")
    let callee = try pop()
    switch heap[callee] {
    case .global(let global): try call(global, arguments)
    // The result of a call that was not made can be called too.
    case .instance(let instance): push(.instance(PickleInstance(name: instance.name)))
    default: throw malformed(expected: "a function to call", found: heap[callee].kind)
    }
  }

  private mutating func call(_ global: PickleGlobal, _ arguments: [PickleReference]) throws(DataError) {
    switch global {
    case .orderedDictionary: try pushOrderedDictionary(arguments)
    case .size:
      guard arguments.count == 1 else { throw wrongArguments("torch.Size", arguments) }
      push(.tuple(try tuple(arguments[0], "a size")))
    case .rebuildTensor(let version): push(try rebuildTensor(arguments, version: version))
    case .rebuildParameter:
      guard let first = arguments.first else { throw wrongArguments("_rebuild_parameter", arguments) }
      switch heap[first] {
      case .tensor, .instance: push(first)
      default: throw wrongArguments("_rebuild_parameter", arguments)
      }
    case .rebuildFromType:
      // (function, class, its arguments, attributes)
      guard arguments.count >= 3, case .global(let function) = heap[arguments[0]] else {
        throw wrongArguments("_rebuild_from_type_v2", arguments)
      }
      // Nothing nests them, and a chain of them would recurse.
      if case .rebuildFromType = function { throw wrongArguments("_rebuild_from_type_v2", arguments) }
      try call(function, tuple(arguments[2], "arguments"))
    case .reconstructor:
      guard let first = arguments.first else { throw wrongArguments("copyreg._reconstructor", arguments) }
      pushInstance(of: first)
    case .unknown(let name): push(.instance(PickleInstance(name: name)))
    case .storage, .elementType: throw refused("a call of a storage or element type")
    }
  }

  /// Makes an object of a class, which comes first.
  mutating func makeObject(_ parts: [PickleReference]) throws(DataError) {
    guard let first = parts.first else { throw malformed(expected: "a class", found: "nothing") }
    switch heap[first] {
    case .global(.orderedDictionary): push(.dictionary(PickleDictionary()))
    case .global, .instance: pushInstance(of: first)
    default: throw malformed(expected: "a class to make an object of", found: heap[first].kind)
    }
  }

  private mutating func pushInstance(of reference: PickleReference) {
    if case .global(.unknown(let name)) = heap[reference] {
      push(.instance(PickleInstance(name: name)))
    } else {
      push(.instance(PickleInstance(name: heap[reference].kind)))
    }
  }

  /// Sets the attributes of an object. Module versions, which PyTorch keeps as an attribute of state
  /// dictionaries, are of no use here; lists and numbers have no attributes.
  mutating func build() throws(DataError) {
    let state = try pop()
    let target = try top()
    switch heap[target] {
    case .dictionary:
      switch heap[state] {
      case .dictionary, .instance, .none: break
      default: throw refused("attributes on a dictionary that are \(heap[state].kind)")
      }
    case .instance(var instance):
      instance.state = state
      heap[target] = .instance(instance)
    // Of a parameter, or of a class itself.
    case .tensor, .global: break
    default: throw refused("attributes on \(heap[target].kind)")
    }
  }

  /// Turns a persistent id, ("storage", type, key, device, count[, view]), into a storage.
  mutating func pushStorage() throws(DataError) {
    let fields = try tuple(pop(), "a persistent id")
    guard let first = fields.first, case .string(let kind) = heap[first] else {
      throw malformed(expected: "the id of a storage", found: "\(fields.count) fields")
    }
    guard kind == "storage" else {
      // Old files note the source code of a module's class: ("module", class, file, code).
      if fields.count > 1, case .global = heap[fields[1]] {
        push(fields[1])
      } else {
        push(.instance(PickleInstance(name: "a \(kind.prefix(80))")))
      }
      return
    }
    guard fields.count == 5 || fields.count == 6 else {
      throw malformed(expected: "the id of a storage", found: "\(fields.count) fields")
    }
    if case .global(.unknown(let name)) = heap[fields[1]] {
      if case .string(let key) = heap[fields[2]], let size = PickleGlobal.otherElementSizes[name] {
        otherStorages[key] = size
      }
      return push(.instance(PickleInstance(name: "a tensor of \(name)")))
    }
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
  private func rebuildTensor(_ arguments: [PickleReference], version: Int) throws(DataError) -> PickleObject {
    let counts = [1: 4...4, 2: 6...7, 3: 7...8]
    guard let allowed = counts[version], allowed.contains(arguments.count) else {
      throw wrongArguments("_rebuild_tensor", arguments)
    }
    // Of numbers that are not known here.
    if case .instance(let instance) = heap[arguments[0]] {
      return .instance(PickleInstance(name: instance.name))
    }
    guard case .storage(let storage) = heap[arguments[0]] else {
      throw wrongArguments("_rebuild_tensor", arguments)
    }
    var elementType = storage.elementType
    if version == 3 {
      switch heap[arguments[6]] {
      case .global(.elementType(let type)): elementType = type
      case .global(.unknown(let name)): return .instance(PickleInstance(name: "a tensor of \(name)"))
      default: throw wrongArguments("_rebuild_tensor_v3", arguments)
      }
    }
    // The metadata say that the numbers are to be conjugated or negated.
    if version > 1, arguments.count == allowed.upperBound, let metadata = arguments.last {
      switch heap[metadata] {
      case .none: break
      case .dictionary(let flags) where flags.items.isEmpty: break
      default: return .instance(PickleInstance(name: "a tensor with metadata (conjugated or negated)"))
      }
    }
    return .tensor(
      PickleTensor(
        storage: storage, elementType: elementType, offset: try natural(arguments[1], "an offset"),
        shape: try naturals(arguments[2], "a shape"), strides: try naturals(arguments[3], "strides")))
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

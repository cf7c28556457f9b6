extension PickleHeap {
  /// For each object whether there is a tensor in it, at any depth.
  ///
  /// Backwards from the tensors to all that hold them, so that the work is that of the references, however often an
  /// object is shared and however deep it lies.
  func holdsTensors() -> [Bool] {
    // Who refers to object i: owners[first[i]..<first[i + 1]].
    var first = [Int32](repeating: 0, count: count + 1)
    for object in objects { object.forEachReference { first[$0.position + 1] += 1 } }
    for index in 0..<count { first[index + 1] += first[index] }
    var free = first
    var owners = [Int32](repeating: 0, count: Int(first[count]))
    for (owner, object) in objects.enumerated() {
      object.forEachReference { reference in
        owners[Int(free[reference.position])] = Int32(owner)
        free[reference.position] += 1
      }
    }
    var holds = [Bool](repeating: false, count: count)
    var open: [Int] = []
    for (index, object) in objects.enumerated() {
      if case .tensor = object {
        holds[index] = true
        open.append(index)
      }
    }
    while let index = open.popLast() {
      for owner in owners[Int(first[index])..<Int(first[index + 1])] where !holds[Int(owner)] {
        holds[Int(owner)] = true
        open.append(Int(owner))
      }
    }
    return holds
  }
}

extension PickleObject {
  /// What values are made of; keys are not among it.
  fileprivate func forEachReference(_ body: (PickleReference) -> Void) {
    switch self {
    case .tuple(let elements), .list(let elements):
      for element in elements { body(element) }
    case .dictionary(let dictionary):
      for item in dictionary.items { body(item.value) }
    case .instance(let instance):
      for item in instance.dictionary?.items ?? [] { body(item.value) }
      for element in instance.list { body(element) }
      if let state = instance.state { body(state) }
    case .none, .bool, .integer, .wideInteger, .double, .string, .global, .storage, .tensor: break
    }
  }
}

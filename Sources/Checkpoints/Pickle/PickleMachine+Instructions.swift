import Base

extension PickleMachine {
  /// Carries out one instruction (all but the end).
  mutating func execute(_ opcode: PickleOpcode) throws(DataError) {
    switch opcode {
    case .stop: break
    case .mark: pushMark()
    case .pop: try drop()
    case .popMark: _ = try popToMark()
    case .duplicate: push(try top())

    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .int: push(try readIntegerLine())
    case .long: push(try readLongLine())
    case .binInt: push(.integer(Int(try readNumber(Int32.self))))
    case .binInt1: push(.integer(Int(try readNumber(UInt8.self))))
    case .binInt2: push(.integer(Int(try readNumber(UInt16.self))))
    case .long1: push(try readLong(byteCount: Int(try readNumber(UInt8.self))))
    case .long4: push(try readLong(byteCount: Int(try readNumber(Int32.self))))
    case .float: push(try readFloatLine())
    case .binFloat: push(.double(Double(bitPattern: try readNumber(UInt64.self).byteSwapped)))

    case .shortBinString, .shortBinUnicode: push(try readString(byteCount: Int(try readNumber(UInt8.self))))
    case .binString: push(try readString(byteCount: Int(try readNumber(Int32.self))))
    case .binUnicode: push(try readString(byteCount: Int(try readNumber(UInt32.self))))
    case .binUnicode8: push(try readString(byteCount: Int(clamping: try readNumber(UInt64.self))))
    case .stringLine, .unicodeLine: push(try readStringLine())
    case .shortBinBytes: try pushBytes(count: Int(try readNumber(UInt8.self)))
    case .binBytes: try pushBytes(count: Int(try readNumber(UInt32.self)))
    case .binBytes8, .byteArray8: try pushBytes(count: Int(clamping: try readNumber(UInt64.self)))

    case .emptySet: push(.instance(PickleInstance(name: "a set")))
    case .addItems: try addItems()
    case .frozenSet:
      _ = try popToMark()
      push(.instance(PickleInstance(name: "a set")))

    case .emptyTuple: push(.tuple([]))
    case .tuple: push(.tuple(try popToMark()))
    case .tuple1: try pushTuple(count: 1)
    case .tuple2: try pushTuple(count: 2)
    case .tuple3: try pushTuple(count: 3)
    case .emptyList: push(.list([]))
    case .list: push(.list(try popToMark()))
    case .append: try append([pop()])
    case .appends: try append(popToMark())
    case .emptyDictionary: push(.dictionary(PickleDictionary()))
    case .dictionary:
      let items = try popToMark()
      push(.dictionary(PickleDictionary()))
      try setItems(items)
    case .setItem:
      let value = try pop()
      let key = try pop()
      try setItems([key, value])
    case .setItems: try setItems(popToMark())

    case .get: try recall(readIndexLine())
    case .binGet: try recall(Int(readNumber(UInt8.self)))
    case .longBinGet: try recall(Int(readNumber(UInt32.self)))
    case .put: try memoize(at: readIndexLine())
    case .binPut: try memoize(at: Int(readNumber(UInt8.self)))
    case .longBinPut: try memoize(at: Int(readNumber(UInt32.self)))
    case .memoize: try memoizeNext()

    case .global: try pushGlobal(module: readTextLine(), name: readTextLine())
    case .instance:
      let (module, name) = (try readTextLine(), try readTextLine())
      _ = try popToMark()
      push(.instance(PickleInstance(name: "\(module).\(name)")))
    case .object: try makeObject(popToMark())
    case .newObject:
      let arguments = try pop()
      try makeObject([pop(), arguments])
    case .newObjectWithKeywords:
      _ = try pop()
      let arguments = try pop()
      try makeObject([pop(), arguments])
    case .extension1: pushExtension(Int(try readNumber(UInt8.self)))
    case .extension2: pushExtension(Int(try readNumber(UInt16.self)))
    case .extension4: pushExtension(Int(try readNumber(Int32.self)))
    case .stackGlobal: try pushStackGlobal()
    case .reduce: try reduce()
    case .build: try build()
    case .binPersistentID: try pushStorage()

    case .protocol:
      let version = try readNumber(UInt8.self)
      guard version <= Limit.highestProtocol else { throw refused("pickle protocol \(version)") }
    case .frame: _ = try readNumber(UInt64.self)
    }
  }

  // MARK: Containers

  private mutating func pushTuple(count: Int) throws(DataError) {
    var elements: [PickleReference] = []
    for _ in 0..<count { elements.append(try pop()) }
    push(.tuple(elements.reversed()))
  }

  private mutating func append(_ elements: [PickleReference]) throws(DataError) {
    let target = try top()
    // Taken out while it grows, so that it is not copied.
    switch heap[target] {
    case .list(var list):
      heap[target] = .none
      list += elements
      heap[target] = .list(list)
    case .instance(var instance):
      heap[target] = .none
      instance.list += elements
      heap[target] = .instance(instance)
    default: throw malformed(expected: "a list to append to", found: heap[target].kind)
    }
  }

  /// Sets are of no use here: what they hold is dropped.
  private mutating func addItems() throws(DataError) {
    _ = try popToMark()
    guard case .instance = heap[try top()] else {
      throw malformed(expected: "a set to add to", found: heap[try top()].kind)
    }
  }

  mutating func setItems(_ items: [PickleReference]) throws(DataError) {
    let target = try top()
    var dictionary: PickleDictionary
    var instance: PickleInstance?
    switch heap[target] {
    case .dictionary(let found): dictionary = found
    case .instance(let found):
      instance = found
      dictionary = found.dictionary ?? PickleDictionary()
      instance?.dictionary = nil
    default:
      throw malformed(expected: "a dictionary to put pairs into", found: heap[target].kind)
    }
    guard items.count.isMultiple(of: 2) else {
      throw malformed(expected: "pairs to put into a dictionary", found: "\(items.count) objects")
    }
    heap[target] = .none
    for position in stride(from: 0, to: items.count, by: 2) {
      dictionary[try key(items[position])] = items[position + 1]
    }
    if var instance {
      instance.dictionary = dictionary
      heap[target] = .instance(instance)
    } else {
      heap[target] = .dictionary(dictionary)
    }
  }

  private mutating func key(_ reference: PickleReference) throws(DataError) -> PickleDictionary.Key {
    switch heap[reference] {
    case .string(let text):
      // A long key can come many times, and each time it is hashed.
      try spend(text.utf8.count / Limit.bytesAnInstruction)
      return .string(text)
    case .integer(let number): return .integer(number)
    case .list, .dictionary:
      throw malformed(expected: "a key that does not change", found: heap[reference].kind)
    default: return .object(reference, kind: heap[reference].kind)
    }
  }

  // MARK: Operands

  private mutating func readNumber<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type
  ) throws(DataError) -> Number {
    try required(reader.read(type), "\(MemoryLayout<Number>.size) bytes")
  }

  /// Text, or bytes that are none: the strings of Python 2 hold both.
  private mutating func readString(byteCount: Int) throws(DataError) -> PickleObject {
    guard byteCount <= Limit.stringBytes else { throw tooLarge("a string of \(byteCount) bytes") }
    let bytes = try required(reader.read(count: byteCount), "a string")
    return String(validUTF8: bytes).map { .string($0) } ?? .instance(PickleInstance(name: "bytes"))
  }

  private mutating func readStringLine() throws(DataError) -> PickleObject {
    let line = try required(reader.readLine(limit: Limit.stringBytes), "a line of text")
    guard let text = String(validUTF8: line) else { return .instance(PickleInstance(name: "bytes")) }
    let isQuoted = text.count >= 2 && text.first == text.last && (text.first == "'" || text.first == "\"")
    return .string(isQuoted ? String(text.dropFirst().dropLast()) : text)
  }

  private mutating func pushBytes(count: Int) throws(DataError) {
    _ = try required(reader.read(count: count), "\(count) bytes")
    push(.instance(PickleInstance(name: "bytes")))
  }

  private mutating func readTextLine() throws(DataError) -> String {
    try required(reader.readLine(limit: Limit.lineBytes).flatMap { String(validUTF8: $0) }, "a line of text")
  }

  private mutating func readIndexLine() throws(DataError) -> Int {
    try required(Int(readTextLine()), "a number")
  }

  private mutating func readIntegerLine() throws(DataError) -> PickleObject {
    let text = try readTextLine()
    // Protocols before 2 write the truth values like this.
    if text == "00" { return .bool(false) }
    if text == "01" { return .bool(true) }
    return .integer(try required(Int(text), "an integer"))
  }

  private mutating func readLongLine() throws(DataError) -> PickleObject {
    let text = try readTextLine()
    let digits = text.hasSuffix("L") ? text.dropLast() : text[...]
    if let number = Int(digits) { return .integer(number) }
    guard digits.drop(while: { $0 == "-" }).allSatisfy(\.isNumber), digits.count > 18 else {
      throw malformed(expected: "an integer", found: String(text.prefix(32)))
    }
    return .instance(PickleInstance(name: "an integer of \(digits.count) digits"))
  }

  private mutating func readFloatLine() throws(DataError) -> PickleObject {
    .double(try required(Double(readTextLine()), "a number"))
  }

  private mutating func readLong(byteCount: Int) throws(DataError) -> PickleObject {
    guard byteCount <= Limit.integerBytes else { throw tooLarge("an integer of \(byteCount) bytes") }
    let bytes = try required(reader.read(count: byteCount), "an integer")
    guard byteCount <= MemoryLayout<Int64>.size else {
      return byteCount <= Limit.wideIntegerBytes
        ? .wideInteger(Array(bytes)) : .instance(PickleInstance(name: "an integer of \(byteCount) bytes"))
    }
    var value: Int64 = 0
    for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
    // The sign of a shorter number stands in its own highest bit.
    let unused = 64 - 8 * byteCount
    return .integer(byteCount == 0 ? 0 : Int((value << unused) >> unused))
  }
}

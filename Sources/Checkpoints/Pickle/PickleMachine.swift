import Base
import TensorCore

/// Runs a pickle that may build data and nothing else.
///
/// Python's pickles are programs that can call anything. This machine calls nothing: it knows tensors,
/// containers, strings and numbers, and of every other class or function it keeps the name alone
/// (`PickleInstance`). Instructions, objects and bytes are limited and nothing recurses, so that a hostile
/// pickle ends in an error soon.
struct PickleMachine {
  enum Limit {
    /// The longest pickle. The weights are not in it: 10,000 tensors take about 3 MB.
    static let bytes = 128 << 20
    static let instructions = 16 << 20
    static let objects = 2 << 20
    /// Most bytes of a string. Keys and names are far shorter.
    static let stringBytes = 1 << 20
    /// Most bytes of an integer. States of random generators have 128 bits and more.
    static let integerBytes = 1 << 10
    /// Most bytes of an integer that is kept; the magic number of old files has 10.
    static let wideIntegerBytes = 16
    /// Hashing so many bytes counts as an instruction.
    static let bytesAnInstruction = 64
    /// Keeping so many bytes of a name does.
    static let nameBytesAnInstruction = 16
    static let lineBytes = 1 << 10
    static let highestProtocol: UInt8 = 5
  }

  let file: String
  /// The entry or part of the file that the pickle is, for errors.
  let item: String
  var reader: ByteReader
  var heap = PickleHeap()
  /// Storages of numbers that are not read, with the bytes of an element.
  var otherStorages: [String: Int] = [:]
  private var stack: [PickleReference] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleReference] = [:]
  private var remainingInstructions = Limit.instructions

  /// - Parameter reader: at the first byte of the pickle.
  init(_ reader: ByteReader, file: String, item: String) {
    self.reader = reader
    self.file = file
    self.item = item
  }

  /// Runs to the end of the pickle, where `reader` stands afterwards.
  /// - Returns: the object that was built.
  /// - Throws: `DataError`.
  mutating func run() throws(DataError) -> PickleReference {
    let start = reader.position
    while true {
      try spend(1)
      let byte = try required(reader.readByte(), "an instruction")
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw refused("the pickle instruction 0x\(String(byte, radix: 16))")
      }
      if opcode == .stop {
        guard stack.count == 1, marks.isEmpty else {
          throw malformed(expected: "one object at the end of the pickle", found: "\(stack.count)")
        }
        return stack[0]
      }
      try execute(opcode)
      guard heap.count <= Limit.objects, reader.position - start <= Limit.bytes else {
        throw tooLarge("\(heap.count) objects in \(reader.position - start) bytes")
      }
    }
  }

  /// Counts work of as much as `count` instructions.
  mutating func spend(_ count: Int) throws(DataError) {
    guard count <= remainingInstructions else {
      throw tooLarge("more than \(Limit.instructions) instructions")
    }
    remainingInstructions -= count
  }

  // MARK: Stack

  mutating func push(_ object: PickleObject) {
    stack.append(heap.add(object))
  }

  mutating func push(_ reference: PickleReference) {
    stack.append(reference)
  }

  /// The top object, which stays. Objects below the last mark are out of reach.
  func top() throws(DataError) -> PickleReference {
    guard stack.count > marks.last ?? 0, let top = stack.last else {
      throw malformed(expected: "an object on the stack", found: "none")
    }
    return top
  }

  mutating func pop() throws(DataError) -> PickleReference {
    let top = try top()
    stack.removeLast()
    return top
  }

  mutating func pushMark() {
    marks.append(stack.count)
  }

  /// All objects above the last mark, and the mark.
  mutating func popToMark() throws(DataError) -> [PickleReference] {
    guard let mark = marks.popLast() else { throw malformed(expected: "a mark on the stack", found: "none") }
    let objects = Array(stack[mark...])
    stack.removeLast(stack.count - mark)
    return objects
  }

  /// Drops the top object, or the mark if that is on top.
  mutating func drop() throws(DataError) {
    if let mark = marks.last, mark == stack.count {
      marks.removeLast()
    } else {
      _ = try pop()
    }
  }

  // MARK: Memo

  mutating func memoize(at index: Int) throws(DataError) {
    memo[index] = try top()
  }

  mutating func memoizeNext() throws(DataError) {
    try memoize(at: memo.count)
  }

  mutating func recall(_ index: Int) throws(DataError) {
    guard let reference = memo[index] else {
      throw malformed(expected: "an object at place \(index) of the memo", found: "none")
    }
    push(reference)
  }

  // MARK: Errors

  func required<Value>(_ value: Value?, _ what: String) throws(DataError) -> Value {
    guard let value else {
      throw malformed(expected: "\(what) before byte \(reader.position)", found: "the end or damaged data")
    }
    return value
  }

  func malformed(expected: String, found: String) -> DataError {
    DataError(.malformed, file: file, item: item, expected: expected, found: found)
  }

  /// Something that is not data.
  func refused(_ what: String) -> DataError {
    DataError(
      .unsupported, file: file, item: item,
      expected: "nothing but tensors, containers, strings and numbers", found: what)
  }

  func tooLarge(_ what: String) -> DataError {
    DataError(.unsupported, file: file, item: item, expected: "a pickle of reasonable size", found: what)
  }
}

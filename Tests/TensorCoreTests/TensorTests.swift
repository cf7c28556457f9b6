import TensorCore
import TestSupport
import Testing

struct TensorTests {
  @Test func copiesAreIndependent() {
    let original = Tensor([1, 2, 3], shape: [3])
    var copy = original
    copy[1] = 9
    #expect(original.elements == [1, 2, 3])
    #expect(copy.elements == [1, 9, 3])
  }

  @Test func writingTheOnlyReferenceDoesNotCopy() {
    var tensor = Tensor(zeros: [40_000])
    let before = tensor.withUnsafeBufferPointer { $0.baseAddress }
    tensor[5] = 1
    #expect(tensor.withUnsafeBufferPointer { $0.baseAddress } == before)
  }

  @Test func borrowedMemoryIsNeverWritten() {
    final class Owner { let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 4) }
    let owner = Owner()
    owner.memory.initialize(repeating: 2)
    var tensor = Tensor(borrowing: UnsafeBufferPointer(owner.memory), owner: owner, shape: [2, 2])
    tensor[0, 0] = 7
    #expect(owner.memory[0] == 2)
    #expect(tensor.elements == [7, 2, 2, 2])
  }

  @Test func scalarsAndEmptyTensors() {
    #expect(Tensor([4], shape: []).item == 4)
    #expect(Tensor(zeros: [3, 0, 2]).count == 0)
    #expect(Tensor(zeros: [0]).elements.isEmpty)
  }

  @Test func slicesAndStacks() {
    let rows = [Tensor([1, 2], shape: [2]), Tensor([3, 4], shape: [2])]
    let both = stack(rows)
    #expect(both == Tensor([1, 2, 3, 4], shape: [2, 2]))
    #expect(both.slice(1) == rows[1])
  }

  @Test func channelsAreJoinedPerPixel() {
    let a = Tensor([1, 2, 3, 4], shape: [2, 2, 1])
    let b = Tensor([5, 6, 7, 8, 9, 10, 11, 12], shape: [2, 2, 2])
    let joined = ConvolutionInput(a, joinedWith: b)
    #expect(joined.shape == [2, 2, 3])
    #expect(joined.tensor.elements == [1, 5, 6, 2, 7, 8, 3, 9, 10, 4, 11, 12])
  }

  @Test func channelsMoveThereAndBack() {
    let x = Tensor((0..<24).map(Float.init), shape: [2, 3, 2, 2])
    #expect(x.channelsLast.shape == [2, 2, 2, 3])
    #expect(x.channelsLast[1, 0, 1, 2] == x[1, 2, 0, 1])
    #expect(x.channelsLast.channelsFirst == x)
  }

  // Where every buffer is checked, none is used again.
  #if !CHECKED_BUFFERS
    @Test func releasedBuffersComeBack() {
      let count = 123_457
      var first: Tensor? = Tensor(zeros: [count])
      let address = first!.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
      first = nil
      // Other tests may take the buffer in between: any of a few tries will do.
      let isReused = (0..<8).contains { _ in
        Tensor(zeros: [count]).withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } == address
      }
      #expect(isReused)
    }
  #endif
}

/// Other tests use the pool too, so that only bounds can be told.
struct BufferPoolTests {
  @Test func keepsNoMoreThanTheLimit() {
    let pool = BufferPool()
    func use(_ count: Int) { pool.release(pool.allocate(count: count), count: count) }
    use(1 << 20)
    #if CHECKED_BUFFERS
      #expect(pool.keptBytes == 0)
    #else
      #expect(pool.keptBytes == 4 << 20 && pool.usedBytes == 0)
      pool.keptLimit = 6 << 20
      use(1 << 18)
      #expect(pool.keptBytes == 5 << 20)
      use(1 << 19)
      // The oldest goes first.
      #expect(pool.keptBytes == 3 << 20)
      pool.keptLimit = 0
      #expect(pool.keptBytes == 0)
      use(1 << 20)
      #expect(pool.keptBytes == 0)
    #endif
    pool.drain()
    #expect(pool.keptBytes == 0)
  }
}

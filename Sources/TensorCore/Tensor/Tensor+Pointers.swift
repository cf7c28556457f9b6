/// Several tensors as pointers at once, so that kernels need no staircase of closures.
@inline(__always)
package func withPointers<Result>(_ a: Tensor, _ body: (UnsafePointer<Float>) -> Result) -> Result {
  a.withUnsafeBufferPointer { body($0.baseAddress!) }
}

@inline(__always)
package func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
  withPointers(a) { a in withPointers(b) { b in body(a, b) } }
}

@inline(__always)
package func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
  withPointers(a, b) { a, b in withPointers(c) { c in body(a, b, c) } }
}

extension Tensor {
  /// A tensor of `shape` whose elements `body` must all write.
  @inline(__always)
  package init(shape: [Int], _ body: (UnsafeMutablePointer<Float>) -> Void) {
    self.init(unsafeUninitializedShape: shape) { body($0.baseAddress!) }
  }

  @inline(__always)
  package mutating func withMutablePointer<Result>(_ body: (UnsafeMutablePointer<Float>) -> Result) -> Result
  {
    withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }
}

/// Memory for `count` floats during `body`, uninitialised, from the pool of reused buffers.
package func withScratch<Result>(count: Int, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
  let scratch = BufferPool.shared.allocate(count: count)
  defer { BufferPool.shared.release(scratch, count: count) }
  return body(scratch)
}

/// Three tensors for writing.
@inline(__always)
package func withMutablePointers<Result>(
  _ a: inout Tensor, _ b: inout Tensor, _ c: inout Tensor,
  _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Result
) -> Result {
  a.withMutablePointer { a in b.withMutablePointer { b in c.withMutablePointer { c in body(a, b, c) } } }
}

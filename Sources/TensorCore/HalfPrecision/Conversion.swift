/// `body` of every number of `source`, in a loop that becomes vector code.
/// - Precondition: `destination` has the same length.
@inline(__always)
func convert<Source, Destination>(
  _ source: UnsafeBufferPointer<Source>, into destination: UnsafeMutableBufferPointer<Destination>,
  _ body: (Source) -> Destination
) {
  precondition(
    source.count == destination.count, "\(source.count) numbers do not fill \(destination.count) places")
  guard let input = source.baseAddress, let output = destination.baseAddress else { return }
  for index in 0..<source.count { output[index] = body(input[index]) }
}

import Foundation

/// Pipes and devices, opened and written to as they are.
enum InPlaceOutput {
  /// How long a pipe may be without a reader before it is refused. Whoever starts both ends of a pipe does it in
  /// either order; without a limit, a forgotten reader would let a program hang for ever.
  static let patience = Duration.seconds(5)

  /// - Throws: `DataError` of kind `.cannotCreate` when it cannot be opened, or nobody reads the pipe.
  static func open(_ path: String, isPipe: Bool) throws(DataError) -> Int32 {
    let deadline = ContinuousClock.now + patience
    while true {
      // A pipe without a reader is told from others by not waiting for one.
      let descriptor = Foundation.open(
        path, O_WRONLY | O_CLOEXEC | O_NOCTTY | (isPipe ? O_NONBLOCK : 0))
      if descriptor >= 0 {
        if isPipe { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) }
        return descriptor
      }
      let cause = errno
      if cause == EINTR { continue }
      guard isPipe && cause == ENXIO else {
        throw DataError(
          .cannotCreate, file: path, expected: "a place to write to", found: String(cString: strerror(cause)))
      }
      guard ContinuousClock.now < deadline else {
        throw DataError(
          .cannotCreate, file: path, expected: "a pipe that somebody reads",
          found: "nobody within \(patience.components.seconds) s")
      }
      usleep(10_000)
    }
  }

  /// As `write`, but a pipe that nobody reads any more is the error `EPIPE` and not a signal, whatever the program does
  /// with such signals.
  static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    var (pipe, before, pending) = (sigset_t(), sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    sigpending(&pending)
    let wasPending = sigismember(&pending, SIGPIPE) == 1
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    let count = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
    let cause = errno
    if count < 0 && cause == EPIPE && !wasPending {
      sigpending(&pending)
      var number: Int32 = 0
      if sigismember(&pending, SIGPIPE) == 1 { sigwait(&pipe, &number) }
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    errno = cause
    return count
  }
}

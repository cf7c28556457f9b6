import Foundation

/// Tells whether two processes share a kernel, and process numbers.
package struct MachineIdentity: Equatable {
  /// Eight hexadecimal digits that are the same for all processes under a running kernel, in any container.
  package let kernel: String
  /// What the process numbers count in: that of a container, where there is one.
  package let namespace: String
  /// Its name, for people.
  package let host: String

  package static let current = MachineIdentity()

  private init() {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    host = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    kernel = Self.digits(of: boot ?? host)
    namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? host
  }

  init(kernel: String, namespace: String, host: String) {
    (self.kernel, self.namespace, self.host) = (kernel, namespace, host)
  }

  /// FNV-1a.
  private static func digits(of text: String) -> String {
    let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

import Foundation

/// The program as a user runs it.
struct DsegProcess {
  /// What a run left.
  struct Outcome {
    var exitCode: Int32
    var output: String
    var messages: String
  }

  /// The program is built beside the tests.
  private static let executable: URL = {
    // On Linux the test runner lies in the products' folder; on macOS in a bundle inside it.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/",
      !FileManager.default.isExecutableFile(atPath: folder.appending(path: "dseg").path)
    {
      folder.deleteLastPathComponent()
    }
    return folder.appending(path: "dseg")
  }()

  /// The program at work, for a test that does not let it end.
  static func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// The program with its messages on a terminal, under an environment of its own.
  static func start(_ arguments: [String], terminal: Int32, environment: [String: String]) throws -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = environment
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(fileDescriptor: terminal)
    try process.run()
    return process
  }

  static func run(
    _ arguments: [String], in folder: String? = nil, outputPath: String? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput =
      try outputPath.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) } ?? output
    process.standardError = messages
    try process.run()
    // Output is small here, so that neither pipe fills while the other is read.
    if outputPath != nil { try output.fileHandleForWriting.close() }
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errors = messages.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      exitCode: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: String(decoding: text, as: UTF8.self), messages: String(decoding: errors, as: UTF8.self))
  }
}

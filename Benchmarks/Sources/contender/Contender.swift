// Our side of peers/compare: does the work that it is asked for on standard input and answers on standard
// output, one JSON object a line.
//
//   {"do": "prepare", "work": "forward", …}   reads the inputs; the fields are those of the work's `Inputs`
//   {"do": "run", "iterations": 5}            {"seconds": [0.1, …]}, each iteration
//   {"do": "output", "folder": "…"}           writes the result of the last iteration there, for comparison
//   {"do": "threads", "count": 2}             from now on
//   {"do": "ceilings", "threads": [1, 2]}     what the machine can do
//   {"do": "write", "what": "small64", "path": "…"}   a checkpoint or ensemble with random weights
//   {"do": "quit"}
//
// Every answer is an object; {"error": "…"} when something is wrong.

import Base
import DiffusionSegmentation
import Foundation
import TensorCore

/// A command without the fields that belong to a piece of work.
struct Command: Decodable {
  enum Action: String, Decodable {
    case prepare, output, run, threads, ceilings, write, quit
  }

  var `do`: Action
  var work: String?
  var folder: String?
  var iterations: Int?
  var count: Int?
  var threads: [Int]?
  var what: String?
  var path: String?
}

@main
struct Contender {
  private var work: (any PreparedWork)?

  static func main() {
    var contender = Contender()
    answer(Hello())
    while let line = readLine() {
      do {
        guard try contender.obey(Data(line.utf8)) else { break }
      } catch {
        answer(Failure(error: "\(error)"))
      }
    }
  }

  /// False after `quit`.
  private mutating func obey(_ line: Data) throws -> Bool {
    let command = try JSONDecoder().decode(Command.self, from: line)
    switch command.do {
    case .prepare:
      work = nil
      let kind = command.work ?? ""
      guard let type = works[kind] else {
        throw DataError(.invalidArgument, file: "work", expected: "\(works.keys.sorted())", found: kind)
      }
      work = try type.init(inputs: line)
      Self.answer(Done())
    case .output:
      var current = try prepared
      try current.writeOutput(to: command.folder ?? ".")
      work = current
      Self.answer(Done())
    case .run:
      var current = try prepared
      work = nil
      let seconds = try current.run(iterations: command.iterations ?? 1)
      work = current
      Self.answer(Times(seconds: seconds))
    case .threads:
      Threads.count = max(command.count ?? 1, 1)
      Self.answer(Done())
    case .ceilings:
      Self.answer(Ceilings(threadCounts: command.threads ?? [1]))
    case .write:
      try RandomFile(named: command.what ?? "").write(to: command.path ?? "")
      Self.answer(Done())
    case .quit:
      return false
    }
    return true
  }

  private var prepared: any PreparedWork {
    get throws {
      guard let work else {
        throw DataError(.invalidArgument, file: "command", expected: "prepare first", found: "no work")
      }
      return work
    }
  }

  private static func answer(_ value: some Encodable) {
    guard var line = try? JSONEncoder().encode(value) else { fatalError("\(value) is no JSON") }
    line.append(UInt8(ascii: "\n"))
    FileHandle.standardOutput.write(line)
  }
}

private struct Hello: Encodable {
  let versions = [
    "DiffusionSegmentation": Version.current, "OpenBLAS kernels": BLAS.coreName,
    "OpenBLAS threads": "\(BLAS.threadCount)",
  ]
}
private struct Done: Encodable {}
private struct Times: Encodable { var seconds: [Double] }
private struct Failure: Encodable { var error: String }

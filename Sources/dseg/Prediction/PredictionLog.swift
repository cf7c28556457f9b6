import Base
import DiffusionSegmentation
import Foundation

/// What is finished of a prediction: `predictions.jsonl` in its folder, a line of JSON with what it was made by, and then
/// one for each picture whose files are complete.
///
/// Lines are appended as a whole, so that a run that is killed loses one picture at most, and two runs with the same
/// segmenter can write to the same folder.
struct PredictionLog {
  /// What all pictures have in common.
  struct Header: Codable, Equatable {
    var program: String
    /// `Segmenter.digest()`.
    var segmenter: String
    /// What may differ with the same segmenter, by the names of flags.
    var settings: [String: String]

    init(_ segmenter: Segmenter, _ outputs: PredictionOutputs) throws(DataError) {
      program = "DiffusionSegmentation \(Version.current)"
      self.segmenter = try segmenter.digest()
      let reading = segmenter.reading
      settings = [
        "--fit": "\(segmenter.fit)", "--range": "\(reading.range)",
        "--channels": reading.channels.map { $0.map(String.init).joined(separator: ",") } ?? "the file's",
        "--models": "\(segmenter.ensemble.members.count)",
        "--format": outputs.formats.map(\.rawValue).sorted().joined(separator: ","),
        "--probabilities": outputs.probabilities?.rawValue ?? "none",
      ]
    }

    /// The first setting that differs, with the value before and now.
    func difference(from before: Header) -> (flag: String, before: String, now: String)? {
      for flag in settings.keys.sorted() where settings[flag] != before.settings[flag] {
        return (flag, before.settings[flag] ?? "none", settings[flag]!)
      }
      guard segmenter != before.segmenter else { return nil }
      func words(_ digest: String) -> String { "the segmenter and settings of digest \(digest.prefix(12))…" }
      return ("--segmenter", words(before.segmenter), words(segmenter))
    }
  }

  /// A picture whose files are complete.
  struct Entry: Codable {
    /// Of the picture's results: path inside the folder, without an ending.
    var name: String
    var image: String
    var page: Int?
    /// Of the picture's file when it was read.
    var bytes: Int64
    /// Nanoseconds since 1970.
    var modified: Int64
    /// Inside the folder; labels first.
    var files: [String]
    var uncertainty: Float
    var seconds: Double
    /// The labels as a PNG file, for a COCO file of all pictures.
    var mask: Data?
  }

  private let path: String
  private let file: FileHandle
  /// Pictures that are finished, by the names of their results.
  private let finished: [[UInt8]: Entry]

  static func path(in folder: String) -> String {
    (folder as NSString).appendingPathComponent("predictions.jsonl")
  }

  /// Opens the log of a folder. One of another segmenter is replaced, unless the run goes on.
  /// - Throws: `DataError` when the run is to go on and the log is that of another segmenter or other settings, or is
  ///   damaged; or when it cannot be written.
  init(in folder: String, header: Header, resumes: Bool) throws(DataError) {
    path = Self.path(in: folder)
    var (before, entries) = (Header?.none, [[UInt8]: Entry]())
    do throws(DataError) {
      if FileManager.default.fileExists(atPath: path) { (before, entries) = try Self.read(path) }
    } catch {
      if resumes { throw error }
    }
    if resumes, let before, let difference = header.difference(from: before) {
      throw DataError(
        .invalidArgument, file: difference.flag,
        expected: "\(difference.before), with which the results in \(folder) were made, to go on (--resume)",
        found: difference.now)
    }
    if let before, before.program != header.program, resumes {
      Notices.ofThisRun.add(.suspicious, file: path, "results that are kept were made by \(before.program)")
    }
    if before.map({ header.difference(from: $0) != nil }) ?? true {
      try AtomicFile.write(Self.line(header), to: path)
    }
    finished = resumes ? entries : [:]
    let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DataError(.cannotCreate, file: path, found: String(cString: strerror(errno)))
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var last = Self.lineFeed
    if lseek(descriptor, -1, SEEK_END) >= 0, Foundation.read(descriptor, &last, 1) == 1, last != Self.lineFeed
    {
      try write([Self.lineFeed])
    }
  }

  private static let lineFeed = UInt8(ascii: "\n")

  /// The end of a program may leave half a line, and so a picture that is made again.
  private static func read(_ path: String) throws(DataError) -> (Header, [[UInt8]: Entry]) {
    let file = try MappedFile(path: path)
    let lines = Data(file.bytes).split(separator: lineFeed)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let header = lines.first.flatMap({ try? decoder.decode(Header.self, from: $0) }) else {
      throw DataError(
        .malformed, file: path, item: "line 1", expected: "a record of dseg predict",
        found: "something else; without --resume all pictures are labelled anew")
    }
    var entries: [[UInt8]: Entry] = [:]
    for line in lines.dropFirst() {
      if let entry = try? decoder.decode(Entry.self, from: line) { entries[Array(entry.name.utf8)] = entry }
    }
    return (header, entries)
  }

  private static func line(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array((try? encoder.encode(value)) ?? Data()) + [lineFeed]
  }

  /// The masks that a folder's log lists, in the order of their names; nil where there is no log.
  /// - Throws: `DataError` when it is damaged.
  static func masks(in folder: String) throws(DataError) -> [(name: String, file: String)]? {
    let path = path(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try read(path).1.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      .compactMap { entry in MaskFiles.mask(of: entry.files).map { (entry.name, $0) } }
  }

  /// A picture whose results are there, complete, and of the file as it is now.
  func entry(of picture: PictureFile, in folder: String) -> Entry? {
    guard let entry = finished[Array(picture.name.utf8)], let now = FileIdentity(path: picture.path),
      entry.bytes == now.size, entry.modified == now.modified
    else { return nil }
    let isThere = entry.files.allSatisfy {
      access((folder as NSString).appendingPathComponent($0), F_OK) == 0
    }
    return isThere ? entry : nil
  }

  /// Adds a picture whose files are complete.
  /// - Throws: `DataError` of kind `.writeFailed`.
  func append(_ entry: Entry) throws(DataError) { try write(Self.line(entry)) }

  private func write(_ bytes: [UInt8]) throws(DataError) {
    do {
      try file.write(contentsOf: Data(bytes))
    } catch {
      throw DataError(.writeFailed, file: path, found: error.localizedDescription)
    }
  }
}

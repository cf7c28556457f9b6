extension Operations {
  static let pipeline: [String: Operation] = [:]
}

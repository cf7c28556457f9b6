extension Operations {
  static let classifiers: [String: Operation] = [:]
}

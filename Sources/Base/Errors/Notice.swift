/// What a user should know of a result beside the result: something was left out, lost, guessed, changed or ignored on
/// the way to it. An error that does not stop the work.
public struct Notice: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// A file or a part of one was not used.
    case leftOut = "left out"
    /// Information did not survive, such as a class in a smaller mask.
    case lost
    /// Something was taken to be what it does not say of itself.
    case guessed
    /// The data was made to fit: turned, rounded, clipped.
    case changed
    /// A setting had no effect.
    case ignored
    /// The data is sound, and probably not what was meant.
    case suspicious
  }

  public var kind: Kind
  /// Path of the file, or the name of the argument.
  public var file: String
  /// The part of it, such as a class or a tensor; empty when it is the whole.
  public var item: String
  /// What happened, in words that are the same for all notices of one sort.
  public var text: String

  public init(_ kind: Kind, file: String, item: String = "", _ text: String) {
    self.kind = kind
    self.file = file
    self.item = item
    self.text = text
  }
}

extension Notice: CustomStringConvertible {
  /// `left out: file: item: text`, without the parts that are empty.
  public var description: String {
    let subject = kind == .suspicious ? [] : [kind.rawValue]
    return (subject + [file, item, text].filter { !$0.isEmpty }).joined(separator: ": ")
  }
}

import Base
import TensorCore

/// What pictures should show, for networks that look at a context.
public struct LatentCondition: Sendable {
  /// `[N, tokens, channels]`, one sample a picture.
  public let context: Tensor
  /// That of pictures of nothing in particular, of the shape of `context`; nil without guidance.
  public let unconditional: Tensor?
  /// s of `e_u + s (e_c - e_u)`; 1 for no guidance.
  public let guidanceScale: Double

  /// - Parameters:
  ///   - context: `[N, tokens, channels]`
  ///   - unconditional: of the same shape, or `[1, tokens, channels]` for all pictures alike
  ///   - guidanceScale: s; 1 for no guidance
  /// - Throws: `DataError` when the shapes do not belong together, or a scale other than 1 has nothing to lead away from.
  public init(context: Tensor, unconditional: Tensor? = nil, guidanceScale: Double = 1) throws(DataError) {
    func refusal(_ item: String, _ expected: String, _ found: String) -> DataError {
      DataError(.invalidArgument, file: "condition", item: item, expected: expected, found: found)
    }
    guard context.rank == 3 else {
      throw refusal("context", "[pictures, tokens, channels]", "\(context.shape)")
    }
    guard guidanceScale.isFinite else { throw refusal("guidance scale", "a number", "\(guidanceScale)") }
    guard guidanceScale == 1 || unconditional != nil else {
      throw refusal("guidance scale", "1 without an unconditional context", "\(guidanceScale)")
    }
    self.context = context
    self.guidanceScale = guidanceScale
    guard let unconditional else {
      self.unconditional = nil
      return
    }
    guard unconditional.shape == context.shape || unconditional.shape == [1] + context.shape.dropFirst()
    else {
      throw refusal("unconditional context", "\(context.shape)", "\(unconditional.shape)")
    }
    self.unconditional =
      unconditional.shape == context.shape
      ? unconditional
      : stack([Tensor](repeating: unconditional, count: context.shape[0])).reshaped(context.shape)
  }

  /// Classes, by the row of an embedding each: a context of one token.
  /// - Parameters:
  ///   - classes: one a picture
  ///   - embedding: `[classes, channels]` (`cond_stage_model.embedding.weight`)
  ///   - unconditionalClass: that of pictures of nothing in particular
  ///   - guidanceScale: s; 1 for no guidance
  /// - Throws: `DataError` for a class that is not in the embedding, and as the other form.
  public init(
    classes: [Int], embedding: Tensor, unconditionalClass: Int? = nil, guidanceScale: Double = 1
  ) throws(DataError) {
    precondition(embedding.rank == 2, "an embedding of classes \(embedding.shape)")
    let (count, width) = (embedding.shape[0], embedding.shape[1])
    if let wrong = (classes + [unconditionalClass].compactMap { $0 }).first(where: { !(0..<count ~= $0) }) {
      throw DataError(
        .invalidArgument, file: "condition", item: "class", expected: "0 to \(count - 1)", found: "\(wrong)")
    }
    func tokens(_ classes: [Int]) -> Tensor {
      Tensor(shape: [classes.count, 1, width]) { y in
        withPointers(embedding) { rows in
          for (n, label) in classes.enumerated() {
            (y + n * width).update(from: rows + label * width, count: width)
          }
        }
      }
    }
    try self.init(
      context: tokens(classes), unconditional: unconditionalClass.map { tokens([$0]) },
      guidanceScale: guidanceScale)
  }

  private init(of whole: LatentCondition, _ range: Range<Int>) {
    context = whole.context.samples(range)
    unconditional = whole.unconditional?.samples(range)
    guidanceScale = whole.guidanceScale
  }

  /// That of some of the pictures.
  func samples(_ range: Range<Int>) -> LatentCondition { LatentCondition(of: self, range) }
}

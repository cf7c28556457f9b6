import Base
import Checkpoints
import Foundation
import PixelClassifier

extension Segmenter {
  /// SHA-256 of all that its results depend on, in 64 hexadecimal digits: the members, the pretrained models by the
  /// digests of their files, the choice of activations, and how pictures are read, fitted and predicted. Where files lie,
  /// and how and on what it was trained, is no part of it.
  /// - Throws: `DataError` when somebody wrote to a checkpoint while it was in use.
  public func digest() throws(DataError) -> String {
    var record = try SegmenterRecord(self)
    (record.program, record.training, record.census) = ("", nil, nil)
    record.backbone.checkpoint.path = ""
    record.also = record.also.map { models in
      models.map { model in
        var model = model
        model.checkpoint.path = ""
        return model
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    guard let settings = try? encoder.encode(record) else {
      throw DataError(
        .invalidArgument, file: "segmenter", item: "settings", expected: "finite numbers", found: "others")
    }
    var hash = SHA256()
    settings.withUnsafeBytes { hash.update($0) }
    func update(_ name: String, _ array: NumericArray) {
      Array("\(name)\0\(array.shape)\0\(array.elementType)".utf8).withUnsafeBytes { hash.update($0) }
      array.withPackedBytes { hash.update($0) }
    }
    for tensor in ensemble.namedTensors { update(tensor.name, tensor.array) }
    for (index, model) in features.models.enumerated() {
      for (name, tensor) in model.record.tensors.sorted(by: { $0.key < $1.key }) {
        update("\(index).\(name)", NumericArray(tensor))
      }
    }
    return SHA256.hexadecimal(hash.digest())
  }
}

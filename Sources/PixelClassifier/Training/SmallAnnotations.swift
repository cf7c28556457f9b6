/// Labels in which every class of a picture with fewer than `minimum` pixels, but at least one, is
/// ignored: a stray stroke of the annotator is no example.
///
/// - Parameters:
///   - labels: one class number a pixel of one picture
///   - classCount: labels at or above it stay as they are
///   - ignoreLabel: what the pixels become
///   - minimum: pixels that a class needs to be kept; 20 in the reference
/// - Source: `prepare_data` in `train_interpreter.py` of ddpm-segmentation
public func droppingSmallAnnotations(
  _ labels: [UInt8], classCount: Int, ignoreLabel: UInt8, minimum: Int = 20
) -> [UInt8] {
  var counts = [Int](repeating: 0, count: 256)
  for label in labels { counts[Int(label)] += 1 }
  return labels.map { Int($0) < classCount && counts[Int($0)] < minimum ? ignoreLabel : $0 }
}

/// How uncertain a picture is as a whole: the mean over the tenth of its pixels that is most uncertain,
/// `count / 10` of them rounded down; over all pixels when there are fewer than ten. 0 for no pixels.
///
/// Source: `predict_labels` in `pixel_classifier.py` of ddpm-segmentation.
public func imageUncertaintyScore(_ uncertainty: [Float]) -> Float {
  guard !uncertainty.isEmpty else { return 0 }
  let count = uncertainty.count >= 10 ? uncertainty.count / 10 : uncertainty.count
  let sum = uncertainty.sorted().suffix(count).reduce(0.0) { $0 + Double($1) }
  return Float(sum / Double(count))
}

import Augment
import Base
import Checkpoints
import DiffusionCore
import DiffusionSegmentation
import Foundation
import Images
import PixelClassifier
import TensorCore

extension Operations {
  /// Group D: pictures, masks, and the whole chain.
  static let pipeline: [String: Operation] = [
    "to_uint8": { known in
      let x = try known.tensor("x")
      return ["y": .integers(x.elements.map(Image.sample(fromSigned:)), shape: x.shape)]
    },
    "image_to_tensor": { known in
      let image = try Image(contentsOf: known.path(try known.parameters.string("image_file")))
      let resized = image.resized(shortSide: try known.parameters.int("image_size"))
      let normalization: Normalization
      switch try known.parameters.string("transform") {
      case "ddpm": normalization = .ddpm
      case "imagenet": normalization = .imageNet
      default: throw known.parameters.mismatch("transform", "ddpm or imagenet")
      }
      // How the file keeps its colours, which is found out from it.
      known.parameters.describes("mode")
      return [
        "decoded_rgb": pixels(image), "resized_rgb": pixels(resized),
        "tensor": .tensor(resized.tensor(normalization: normalization)),
      ]
    },
    "center_crop": { known in
      let image = try Image(contentsOf: known.path(try known.parameters.string("image_file")))
      let cropped = image.centerCropped(size: try known.parameters.int("image_size"))
      return ["rgb": pixels(cropped), "tensor": .tensor(cropped.tensor(normalization: .ddpmTraining))]
    },
    "mask_resize_nearest": { known in
      let array = try known.array("mask")
      let mask = LabelMask(width: array.shape[1], height: array.shape[0], labels: array.uint8s())
      let resized = mask.resized(
        width: try known.parameters.int("width"), height: try known.parameters.int("height"))
      return ["y": .integers(resized.labels, shape: [resized.height, resized.width])]
    },
    "mask_load_and_resize": { known in
      let array = try NpyFile(contentsOf: known.path(try known.parameters.string("mask_file"))).array
      guard array.shape.count == 2 else { throw known.parameters.mismatch("mask_file", "[height, width]") }
      let mask = LabelMask(width: array.shape[1], height: array.shape[0], labels: array.uint8s())
      let size = try known.parameters.int("image_size")
      return ["label": .integers(mask.resized(width: size, height: size).labels, shape: [size, size])]
    },
    "ddpm_features": { known in
      let image = try known.tensor("image")
      // Where the picture came from.
      known.parameters.describes("image_file")
      let maps = try known.features().extract(image.reshaped(Array(image.shape.suffix(3))))
      let all = maps.vectors(at: Array(0..<maps.pixelCount))
      let moments = columnMoments(all)
      return [
        "features_at_pixels": .tensor(maps.vectors(at: try known.ints("pixel_index"))),
        "feature_mean_per_channel": .list(moments.means),
        "feature_std_per_channel": .list(moments.deviations),
        "activation_shapes": .value(
          .array(maps.maps.map { .array([1, $0.channels, $0.height, $0.width].map { .number(Double($0)) }) })),
      ]
    },
    "prepare_training_data": { known in
      let features = try known.features()
      // Of the noise, which is given.
      known.parameters.describes("seed", "category")
      let labelled = try known.labelledImages()
      var pictures: [LabelledFeatures] = []
      for index in 0..<labelled.count {
        pictures.append(
          try Segmenter.labelledFeatures(
            of: labelled.load(index), features: features, fit: .pad, classes: labelled.classes))
      }
      let dataset = try PixelDataset(
        pictures, classCount: labelled.classes.count, ignoreLabel: labelled.classes.ignoreLabel)
      let rows = try known.ints("row_index").map { $0 % dataset.count }
      return [
        "rows": .int(dataset.count), "feature_dim": .int(dataset.featureCount),
        "y": .integers(dataset.targets),
        "x_mean_per_feature": .list(columnMoments(dataset.features(ofRows: Array(0..<dataset.count))).means),
        "x_at_rows": .tensor(dataset.features(ofRows: rows)),
      ]
    },
    "evaluate_ensemble": { known in
      let labelled = try known.labelledImages()
      known.parameters.describes("seed", "category")
      try known.parameters.expect("transform", .string("ddpm"))
      let files = try known.parameters.strings("checkpoint_files")
      let segmenter = try Segmenter(
        ensemble: PixelEnsemble(contentsOf: files.map(known.path)), classes: labelled.classes,
        features: try known.features())
      var (predictions, truths) = ([UInt8](), [UInt8]())
      var (scores, names, side) = ([Double](), [String](), 0)
      let evaluation = try segmenter.evaluate(on: labelled) { (_, item, result) throws(DataError) in
        predictions += result.labelsAtModelSize.labels
        truths += result.geometry.apply(item.mask, ignoreLabel: labelled.classes.ignoreLabel).labels
        scores.append(Double(result.imageUncertainty))
        names.append(((item.path as NSString).lastPathComponent as NSString).deletingPathExtension + ".npy")
        side = result.labelsAtModelSize.width
      }
      let shape = [labelled.count, side, side]
      return [
        "predictions": .integers(predictions, shape: shape), "labels": .integers(truths, shape: shape),
        "miou": .scalar(evaluation.confusion.meanIoU(.ledm)), "uncertainty_per_image": .list(scores),
        "prediction_file_names": .strings(names),
      ]
    },
  ]

  private static func pixels(_ image: Image) -> Answer {
    .integers(image.pixels, shape: [image.height, image.width, 3])
  }

  /// Mean and standard deviation (divided by the count) of each column.
  static func columnMoments(_ x: Tensor) -> (means: [Double], deviations: [Double]) {
    let (rows, columns) = (x.shape[0], x.shape[1])
    var (means, squares) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
    let elements = x.elements
    for index in elements.indices { means[index % columns] += Double(elements[index]) / Double(rows) }
    for index in elements.indices {
      let difference = Double(elements[index]) - means[index % columns]
      squares[index % columns] += difference * difference
    }
    return (means, squares.map { ($0 / Double(rows)).squareRoot() })
  }
}

extension KnownCase {
  /// The features that the parameters describe, with the case's noise.
  func features() throws -> DiffusionFeatures {
    let noise = try tensor("noise")
    try checkModelFlags()
    let size = try parameters.part("config").int("image_size")
    var options = DiffusionOptions(imageSize: size)
    if parameters.has("diffusion") {
      let diffusion = try networkProcess()
      (options.diffusionSteps, options.rescaleTimesteps) = (
        diffusion.originalSteps, diffusion.rescaleTimesteps
      )
      let settings = try parameters.part("diffusion")
      options.noiseSchedule = try settings.named(settings.has("schedule") ? "schedule" : "noise_schedule")
    }
    let backbone = try DiffusionBackbone(network: network(), options: options, checkpointPath: id)
    let features = DiffusionFeatures(
      backbone, steps: try parameters.ints("steps"), blocks: try parameters.ints("blocks"),
      noise: .fixed(noise.reshaped(Array(noise.shape.suffix(3)))))
    try parameters.expect("dim", .array([size, size, features.channels].map { .number(Double($0)) }))
    return features
  }

  func labelledImages() throws -> LabelledImages {
    let classes = ClassList(
      count: try parameters.int("number_class"), ignoreLabel: try parameters.ignoreLabel())
    return try LabelledImages(
      directory: path(try parameters.string("data_dir")), classes: classes,
      limit: try parameters.int("number_of_images"))
  }
}

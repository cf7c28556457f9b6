import Base
import Checkpoints
import DiffusionSegmentation
import Images
import Layers
import PixelClassifier
import Students
import TensorCore

extension Operations {
  /// Data sets and training of DatasetDDPM's student.
  static let datasetDDPM: [String: Operation] = [
    "dataset_ddpm_filter": { known in
      let file = try known.generatedPictures()
      var kept: [Int] = []
      do {
        kept = try known.keptPictures(of: file)
      } catch {
        // An error tells of a rule that leaves nothing, which the reference does in silence.
        guard (error as? DataError)?.kind == .invalidArgument else { throw error }
      }
      return ["kept": .int(kept.count), "kept_index_in_order": .integers(kept)]
    },
    "dataset_ddpm_item": { known in
      let (image, mask) = (try known.array("image"), try known.array("label"))
      let (height, width) = (image.shape[0], image.shape[1])
      let side = try known.parameters.int("deeplab_res")
      let item = DeepLabV3.item(
        Image(width: width, height: height, pixels: image.uint8s()),
        LabelMask(width: width, height: height, labels: mask.uint8s()), side: side)
      return [
        "tensor": .tensor(item.picture), "label": .integers(item.labels, shape: [side, side]),
      ]
    },
    "deeplab_evaluate": { known in
      let folder = known.path(try known.parameters.string("data_folder"))
      let classes = ClassList(
        count: try known.parameters.int("number_class"), ignoreLabel: try known.parameters.ignoreLabel())
      let labelled = try LabelledImages(directory: folder, classes: classes)
      let network = try known.deepLab()
      let side = try known.parameters.int("deeplab_res")
      var confusion = ConfusionMatrix(classCount: classes.count, ignoreLabel: classes.ignoreLabel)
      var predictions: [UInt8] = []
      for path in labelled.imagePaths {
        let image = try Image(contentsOf: path)
        // As the reference reads it, other labels than classes included.
        let stored = try NpyFile(contentsOf: path.dropLast("png".count) + "npy").array
        let mask = LabelMask(width: image.width, height: image.height, wrapping: stored.int64s())
        let item = DeepLabV3.item(image, mask, side: side)
        let x = item.picture.reshaped([1] + item.picture.shape).channelsLast
        let found = network(x).labels.map { UInt8($0) }
        confusion.add(truth: item.labels, prediction: found)
        predictions += found
      }
      return [
        "paths": .strings(labelled.imagePaths.map { String($0.dropFirst(folder.count + 1)) }),
        "predictions": .integers(predictions, shape: [labelled.count, side, side]),
        "miou": .scalar(confusion.meanIoU(.ledm)),
      ]
    },
    "deeplab_choose_checkpoint": { known in
      let scores = zip(
        try known.parameters.doubles("validation_miou"), try known.parameters.doubles("test_miou"))
      let epochs = EpochScores(
        zip(try known.parameters.strings("files"), scores).map {
          EpochScores.Epoch(file: $0, validation: $1.0, testing: $1.1)
        })
      let chosen = try epochs.chosen()
      return [
        "order": .strings(epochs.epochs.map(\.file)), "chosen": .value(.string(chosen.file)),
        "validation": .value(.number(chosen.validation)), "testing": .value(.number(chosen.testing)),
      ]
    },
    "deeplab_train": { known in
      let file = try known.generatedPictures()
      let kept = try known.keptPictures(of: file)
      let side = try known.parameters.int("deeplab_res")
      let (count, steps) = (try known.parameters.int("batch_size"), try known.parameters.int("steps"))
      let betas = try known.parameters.doubles("betas")
      try known.parameters.expect("optimizer", .string("Adam"))
      try known.parameters.expect("probe", .string("image 0 of the data file"))
      let adam = Adam(
        learningRate: try known.parameters.double("lr"), beta1: betas[0], beta2: betas[1],
        eps: try known.parameters.double("eps"))
      let (order, keep) = (try known.ints("order"), try known.tensor("dropout_keep"))
      let dropout = Float(try known.parameters.double("dropout"))
      var (network, weights) = try known.trainedDeepLab()
      var moments = weights.map { AdamMoments(shape: $0.tensor.shape) }
      var losses: [Double] = []
      for step in 0..<steps {
        let items = order[step * count..<(step + 1) * count].map {
          DeepLabV3.item(file.image(kept[$0]), file.mask(kept[$0]), side: side)
        }
        let (tape, statistics) = (Tape(), RunningStatistics())
        let output = network.training(
          stack(items.map(\.picture)).channelsLast,
          pass: DeepLabV3Pass(
            tape: tape, statistics: statistics,
            dropout: .given(keep: keep.slice(step).channelsLast, probability: dropout)))
        let loss = DeepLabV3Loss()(of: output, labels: items.flatMap(\.labels), tape: tape)
        losses.append(Double(loss.total.item))
        let gradients = tape.gradients(at: loss.total, Tensor([1], shape: [1]))
        for place in weights.indices {
          let tensor = weights[place].tensor
          if let gradient = gradients[tensor] {
            adam.update(
              &weights[place].tensor, gradient: gradient.reshaped(tensor.shape), moments: &moments[place])
          } else if let after = statistics[weights[place].name] {
            weights[place].tensor = after
          }
        }
        network = try known.deepLab(weights, use: .training)
      }
      let probe = DeepLabV3.item(file.image(0), file.mask(0), side: side).picture
      var answers: [String: Answer] = [
        "losses": .list(losses), "kept": .int(kept.count),
        "names": .strings([EpochScores.file(ofEpoch: 0)]),
        "probe_output_after": .tensor(
          network(probe.reshaped([1] + probe.shape).channelsLast).scores.channelsFirst),
      ]
      for weight in weights { answers["after.\(weight.name)"] = .tensor(weight.tensor) }
      return answers
    },
  ]
}

extension KnownCase {
  fileprivate func generatedPictures() throws -> GeneratedPictures {
    try GeneratedPictures(contentsOf: path(try parameters.string("data_file")))
  }

  fileprivate func keptPictures(of file: GeneratedPictures) throws -> [Int] {
    try file.kept(
      most: try parameters.int("max_data"), portion: try parameters.double("uncertainty_portion"))
  }
}

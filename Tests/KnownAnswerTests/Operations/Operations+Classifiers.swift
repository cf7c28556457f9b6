import Checkpoints
import PixelClassifier
import TensorCore

extension Operations {
  /// Group D: pixel classifiers.
  static let classifiers: [String: Operation] = [
    "pixel_classifier_forward": { known in
      let classifier = try PixelMLP(contentsOf: known.checkpointPath())
      try known.parameters.expect("number_class", .number(Double(classifier.classCount)))
      try known.parameters.expect("feature_dim", .number(Double(classifier.featureCount)))
      let logits = classifier.logits(try known.tensor("x"))
      let labels = (0..<logits.shape[0]).map { row in largest(logits.slice(row)) }
      return ["logits": .tensor(logits), "argmax": .integers(labels)]
    },
    "mode_vote": { known in
      // The models are the last axis.
      let votes = try known.array("votes")
      let models = votes.shape[votes.shape.count - 1]
      try known.parameters.expect("models", .number(Double(models)))
      let values = votes.uint8s()
      let voters = (0..<models).map { model in
        stride(from: model, to: values.count, by: models).map { values[$0] }
      }
      return ["labels": .integers(modeVote(voters), shape: Array(votes.shape.dropLast()))]
    },
    "predict_labels": { known in
      let size = try known.parameters.ints("size")
      let prediction: PixelPrediction
      var answers: [String: Answer] = [:]
      if known.has("logits") {
        let logits = try known.tensor("logits")
        try known.parameters.expect("models", .number(Double(logits.shape[0])))
        prediction = PixelPrediction(logits: logits, height: size[0], width: size[1])
      } else {
        let files = try known.parameters.strings("checkpoint_files")
        try known.parameters.expect("models", .number(Double(files.count)))
        let ensemble = try PixelEnsemble(contentsOf: files.map(known.path))
        let logits = ensemble.logits(try known.tensor("features"))
        prediction = PixelPrediction(logits: logits, height: size[0], width: size[1])
        answers["min_top2_margin"] = .value(.number(smallestMargin(logits)))
      }
      answers["labels"] = .integers(prediction.labels, shape: size)
      answers["uncertainty"] = .scalar(prediction.imageUncertainty)
      return answers
    },
    "compute_iou": { known in
      // The names of the classes.
      known.parameters.describes("category")
      var confusion = ConfusionMatrix(
        classCount: try known.parameters.int("number_class"), ignoreLabel: try known.parameters.ignoreLabel())
      confusion.add(truth: try known.array("gts").uint8s(), prediction: try known.array("preds").uint8s())
      return [
        "miou": .scalar(confusion.meanIoU(.ledm)), "iou_per_class": .list(confusion.iou(.ledm)),
        "intersections": .integers(confusion.intersections(.ledm)),
        "unions": .integers(confusion.unions(.ledm)),
      ]
    },
    "drop_small_annotations": { known in
      let label = try known.array("label")
      let kept = droppingSmallAnnotations(
        label.uint8s(), classCount: try known.parameters.int("number_class"),
        ignoreLabel: try known.parameters.ignoreLabel())
      return ["label": .integers(kept, shape: label.shape)]
    },
    "uncertainty_filter": { known in
      let kept = picturesKept(
        byUncertainty: try known.tensor("scores").elements, portion: try known.parameters.double("portion"))
      return ["kept_index_in_order": .integers(kept), "kept_count": .int(kept.count)]
    },
    "early_stop": { known in
      let losses = try known.tensor("losses").elements
      let epochs = try known.parameters.int("max_epochs")
      var stopping = EarlyStopping(
        patience: try known.parameters.int("patience"),
        firstCountedEpoch: try known.parameters.int("first_counted_epoch"))
      var iterations = 0
      for epoch in 0..<epochs {
        for _ in 0..<(try known.parameters.int("batches_per_epoch")) {
          let loss = losses[iterations % losses.count]
          iterations += 1
          if stopping.shouldStop(epoch: epoch, loss: loss) {
            return outcome(iterations, epoch, stoppedEarly: true, stopping)
          }
        }
      }
      return outcome(iterations, epochs - 1, stoppedEarly: false, stopping)
    },
    "classifier_training": { known in
      let adam = try known.parameters.adam()
      let (x, y) = (try known.tensor("x"), try known.ints("y"))
      let batches = try known.array("batch_index")
      let size = try known.parameters.int("batch_size")
      var training = MemberTraining(
        try PixelMLP(weights: WeightScope(StateDictionary(try known.weightTensors(), file: known.id))),
        batch: size, optimizer: adam)
      try known.parameters.expect("number_class", .number(Double(training.classifier.classCount)))
      try known.parameters.expect("feature_dim", .number(Double(x.shape[1])))
      var (losses, accuracies) = ([Double](), [Double]())
      let order = batches.int64s().map { Int($0) }
      for iteration in 0..<(try known.parameters.int("iterations")) {
        let rows = Array(order[iteration * size..<(iteration + 1) * size])
        let result = training.trainingStep(x: stack(rows.map(x.slice)), targets: rows.map { y[$0] })
        losses.append(Double(result.loss))
        accuracies.append(Double(result.accuracy) * 100)
      }
      let trained = training.classifier
      return [
        "losses": .list(losses), "losses_first_40": .list(Array(losses.prefix(40))),
        "accuracy_percent": .list(accuracies),
        "probe_logits_after": .tensor(trained.logits(stack((0..<64).map(x.slice)))),
        "bn1_running_mean_after": .tensor(trained.norm2.runningMean),
        "bn1_running_var_after": .tensor(trained.norm2.runningVariance),
        "bn2_running_var_after": .tensor(trained.norm5.runningVariance),
        "num_batches_tracked": .int(trained.batchesTracked),
      ]
    },
  ]

  private static func outcome(
    _ iterations: Int, _ epoch: Int, stoppedEarly: Bool, _ stopping: EarlyStopping
  ) -> [String: Answer] {
    [
      "iterations": .int(iterations), "stopped_in_epoch": .int(epoch), "stopped_early": .bool(stoppedEarly),
      "best_loss": .value(.number(Double(stopping.bestLoss))),
    ]
  }

  /// Position of the largest element, the first of equals.
  private static func largest(_ values: Tensor) -> Int {
    let elements = values.elements
    return elements.indices.reduce(0) { elements[$1] > elements[$0] ? $1 : $0 }
  }

  /// Smallest distance between the best and the second best logit of any member at any pixel.
  private static func smallestMargin(_ logits: Tensor) -> Double {
    let classes = logits.shape[2]
    return logits.elements.indices.filter { $0 % classes == 0 }.map { start in
      let sorted = logits.elements[start..<start + classes].sorted(by: >)
      return Double(sorted[0] - sorted[1])
    }.min() ?? 0
  }
}

import Augment
import Images
import TensorCore

extension Operations {
  /// Group E: augmentation with fixed numbers, morphology of labels; and the vote of test-time augmentation.
  static let augmentation: [String: Operation] = [
    "color_jitter": { ["image": pixels(try $0.parameters.colorJitter().apply(to: $0.image()))] },
    "to_gray": { ["image": pixels(try $0.image().gray())] },
    "horizontal_flip": { known in
      ["image": pixels(try known.image().mirrored()), "mask": labels(try known.mask().mirrored())]
    },
    "channel_shuffle": { ["image": pixels(try $0.image().shuffled(order: $0.parameters.ints("order")))] },
    "coarse_dropout": { known in
      let dropout = try known.parameters.coarseDropout()
      return [
        "image": pixels(dropout.apply(to: try known.image())),
        "mask": labels(dropout.apply(to: try known.mask())),
      ]
    },
    "random_resized_crop": { known in
      let crop = try known.parameters.resizedCrop()
      let image = try known.image()
      return [
        "image": pixels(crop.apply(to: image)), "mask": labels(crop.apply(to: try known.mask())),
        "image_ideal": samples(crop.samples(of: image), like: crop.apply(to: image)),
      ]
    },
    "rotate": { known in
      let image = try known.image()
      return try warp(known, known.parameters.rotation(image.width, image.height))
    },
    "elastic_affine": { known in
      let affine = try known.parameters.elasticAffine()
      return try warp(known, affine).merging(["matrix": matrix(affine.matrix)]) { first, _ in first }
    },
    "elastic_field": { known in
      let uniform = try known.tensor("uniform")
      let field = DisplacementField.smoothed(
        uniform: uniform.elements, width: uniform.shape[1], height: uniform.shape[0],
        sigma: try known.parameters.double("sigma"), alpha: try known.parameters.double("alpha"))
      return ["d": .numbers(field, shape: uniform.shape)]
    },
    "elastic": { known in
      let (dx, dy) = (try known.tensor("dx"), try known.tensor("dy"))
      let field = DisplacementField(
        dx: dx.elements.map(Double.init), dy: dy.elements.map(Double.init), width: dx.shape[1])
      let (image, border) = (try known.image(), try known.parameters.border())
      return [
        "image": pixels(displaced(image, by: field, border: border)),
        "mask": labels(displaced(try known.mask(), by: field, border: border)),
        "image_ideal": samples(displacedSamples(image, by: field, border: border), like: image),
      ]
    },
    "morphology": { known in
      let morphology = try LabelMorphology(
        known.parameters.named("operation"), known.parameters.named("element"),
        size: known.parameters.int("size"),
        iterations: known.parameters.int("iterations"))
      return ["mask": labels(morphology.apply(to: try known.mask()))]
    },
    "augment_replay": { known in
      var (image, mask) = (try known.image(), try known.mask())
      var answers: [String: Answer] = [:]
      let steps = try known.parameters.parts("steps")
      let names = try steps.map { try $0.string("op") }
      // Whether grey stands in the list; and which masks are given.
      try known.parameters.expect("to_gray", .bool(names.contains("to_gray")))
      known.parameters.describes("masks_after_every_step", "measured")
      for (index, (step, name)) in zip(steps, names).enumerated() {
        let replay = Replay(
          width: image.width, height: image.height,
          transforms: [try step.transform(image.width, image.height)])
        (image, mask) = (replay.apply(to: image), replay.apply(to: mask))
        answers["image_after_\(index + 1)_\(name)"] = pixels(image)
        answers["mask_after_\(index + 1)_\(name)"] = labels(mask)
      }
      answers["mask"] = labels(mask)
      return answers
    },
    "tta_vote": { known in
      let votes = try known.array("votes")
      let (height, width) = (votes.shape[1], votes.shape[2])
      try known.parameters.expect("voters", .number(Double(votes.shape[0])))
      known.parameters.describes("number_class")
      let masks = (0..<votes.shape[0]).map { voter in
        LabelMask(
          width: width, height: height,
          labels: Array(votes.uint8s()[voter * height * width..<(voter + 1) * height * width]))
      }
      return ["mask": labels(orderedVote(masks, ignoreLabel: try known.parameters.ignoreLabel()))]
    },
  ]

  private static func warp(_ known: KnownCase, _ warp: AffineWarp) throws -> [String: Answer] {
    let image = try known.image()
    return [
      "image": pixels(warp.apply(to: image)), "mask": labels(warp.apply(to: try known.mask())),
      "image_ideal": samples(warp.samples(of: image), like: image), "inverse_matrix": matrix(warp.inverse),
    ]
  }

  private static func pixels(_ image: Image) -> Answer {
    .integers(image.pixels, shape: [image.height, image.width, 3])
  }

  private static func labels(_ mask: LabelMask) -> Answer {
    .integers(mask.labels, shape: [mask.height, mask.width])
  }

  private static func samples(_ samples: [Float], like image: Image) -> Answer {
    .numbers(samples.map(Double.init), shape: [image.height, image.width, 3])
  }

  private static func matrix(_ matrix: AffineMatrix) -> Answer { .numbers(matrix.elements, shape: [2, 3]) }
}

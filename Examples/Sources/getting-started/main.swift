// The code of the README and of the article GettingStarted; a test compares. It needs a checkpoint and pictures under
// these names.

import DiffusionSegmentation

let model = try Checkpoint(contentsOf: "lsun_horse.pt")
let features = try BackboneRegistry.standard.features(
  of: model, settings: ["steps": "50,150,250", "blocks": "5,6,7,8,12"])
let labelled = try LabelledImages(
  directory: "horse_21/train", classes: .init(count: 21))
let segmenter = try Segmenter.train(
  on: labelled, features: features, options: .init(members: 10))
// Label and uncertainty of every pixel.
let result = try segmenter.segment(Image(contentsOf: "photo.jpg"))
try segmenter.write(to: "horses.segmenter.safetensors")

try result.labels.write(
  to: "photo.mask.png", palette: segmenter.classes.palette)
let heatmap = Image(
  heatmap: result.uncertainty,
  width: result.labels.width, height: result.labels.height)
try heatmap.write(to: "photo.uncertainty.png")

let test = try LabelledImages(
  directory: "horse_21/test", classes: .init(count: 21))
let evaluation = try segmenter.evaluate(on: test)
print("mean IoU: \(evaluation.confusion.meanIoU(.ledm))")

let horses = try Segmenter(contentsOf: "horses.segmenter.safetensors")
let again = try horses.segment(Image(contentsOf: "photo.jpg"))
print(again.labels == result.labels)

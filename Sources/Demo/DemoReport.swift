import Base
import DiffusionSegmentation
import Experiments
import Foundation
import Images
import SyntheticScenes

/// What a demo shows of its contenders, the diffusion features last.
struct DemoReport {
  let contenders: [Contender]
  let outcomes: [Contender.Outcome]
  let training: [SyntheticScene]
  let test: [SyntheticScene]
  /// Classifiers that vote.
  let members: Int

  private static let worstCount = 8
  private static let bootstrapDraws = 10_000

  func figures(_ setup: ExperimentReport.Setup, seconds: Double) -> ExperimentReport {
    var figures = ReportFigures(classes: SyntheticScenes.classes, metric: .ledm, draws: Self.bootstrapDraws)
    for (contender, outcome) in zip(contenders, outcomes) {
      figures.append(
        id: contender.name, summary: contender.summary, settings: [contender.name],
        trainingSeconds: outcome.trainingSeconds,
        testSets: [.init(matrices: [outcome.matrices], secondsAPicture: outcome.secondsAScene)])
    }
    return figures.report(setup: setup, testSets: [("test scenes", test.count)], seconds: seconds)
  }

  func page(_ figures: ExperimentReport, folder: DemoFolder) -> ReportPage {
    ReportPage(
      report: figures, pictures: ReportPictures(previews: previews, worst: worst),
      wording: .init(
        title: "Parts of a creature from \(training.count) labelled pictures",
        introduction: """
          A diffusion model has seen thousands of made-up scenes without labels. \(members) small classifiers \
          learn eight classes from a few labelled scenes: from what the model says about each pixel, and twice \
          from what can be computed without it. They are tested on scenes that neither the model nor the \
          classifiers have seen.
          """,
        noun: "way", commands: commands(folder)))
  }

  /// Training scenes with their labels.
  private var previews: [ReportPictures.Preview] {
    training.prefix(4).enumerated().map { index, scene in
      ReportPictures.Preview(
        name: DemoFolder.name(index),
        original: scene.image.overlay(mask: scene.mask, palette: SyntheticScenes.classes.palette, hidden: []),
        copies: [])
    }
  }

  /// The test scenes with which the diffusion features have most trouble.
  private var worst: [ReportPictures.Worst] {
    let (first, last) = (outcomes[0], outcomes[outcomes.count - 1])
    func iou(_ outcome: Contender.Outcome, _ scene: Int) -> Double {
      outcome.matrices[scene].meanIoUOfPresentClasses
    }
    let order = test.indices.sorted { iou(last, $0) < iou(last, $1) }
    return order.prefix(Self.worstCount).map { index in
      let item = LabelledImage(
        path: "\(DemoFolder.name(index)).png", image: test[index].image, mask: test[index].mask)
      return ReportPictures.Worst(
        item, testSet: "test scenes", classes: SyntheticScenes.classes,
        first: (iou(first, index), first.predictions[index].labels),
        last: (iou(last, index), last.predictions[index].labels),
        uncertainty: last.predictions[index].uncertainty, members: members)
    }
  }

  /// Some test scenes beside their truth and what each contender made of them.
  func sheet() throws(DataError) -> Image {
    try DemoSheet(test: test, contenders: contenders, outcomes: outcomes).image()
  }

  private func commands(_ folder: DemoFolder) -> String {
    let folder = folder.path
    let steps = ShippedModel.steps.map { "\($0)" }.joined(separator: ",")
    let blocks = ShippedModel.blocks.map { "\($0)" }.joined(separator: ",")
    return """
      dseg predict --segmenter \(folder)/segmenter.safetensors --output labelled \(folder)/test
      dseg sample --checkpoint \(folder)/model.safetensors --count 64 --output samples.png
      dseg experiment --checkpoint \(folder)/model.safetensors --steps \(steps) --blocks \(blocks) \\
        --train \(folder)/train --test \(folder)/test --classes \(folder)/classes.json --presets init,best \\
        --seeds 2 --output experiment
      """
  }
}

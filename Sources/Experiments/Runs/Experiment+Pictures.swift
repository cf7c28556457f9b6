import Augment
import Base
import DiffusionSegmentation
import Foundation
import Images
import PixelClassifier

extension Experiment {
  /// Test pictures on the report's page.
  private static let worstCount = 8
  /// Training pictures on it, and copies of each.
  private static let (previewCount, previewCopies) = (4, 4)

  /// Writes figures, tables and the page.
  func write(_ report: ExperimentReport, to folder: ExperimentFolder) throws(DataError) {
    let scores = try PictureScores(self, in: folder)
    try writeFigures(report, to: folder.figuresPath)
    for (name, text) in report.tables + [("pictures", scores.table)] {
      try AtomicFile.write(Array(text.utf8), to: folder.tablePath(name))
    }
    try ReportPage(report: report, pictures: try pictures(scores, in: folder)).write(to: folder.pagePath)
  }

  /// The pictures of the report: of the first seed.
  func pictures(_ scores: PictureScores, in folder: ExperimentFolder) throws(DataError) -> ReportPictures {
    ReportPictures(previews: try previews(), worst: try worst(scores, in: folder))
  }

  /// Copies of the first training pictures as the first preset with copies is trained on.
  private func previews() throws(DataError) -> [ReportPictures.Preview] {
    guard let augmentation = presets.compactMap(\.augmentation).first else { return [] }
    let source = TrainingFeatures(
      labelled: training, features: features, options: options(presets[0], seed: seeds[0]))
    let random = AugmentationSchedule.random(seed: seeds[0])
    var previews: [ReportPictures.Preview] = []
    for index in 0..<min(training.count, Self.previewCount) {
      let item = try source.fitted(training.load(index))
      var copies: [Image] = []
      for copy in 0..<min(augmentation.factor - 1, Self.previewCopies) {
        copies.append(
          overlay(
            try augmentation.augmented(
              item, copy: copy, index: index, classes: training.classes, random: random)))
      }
      previews.append(
        ReportPictures.Preview(
          name: (item.path as NSString).lastPathComponent, original: overlay(item), copies: copies))
    }
    return previews
  }

  private func overlay(_ item: LabelledImage) -> Image {
    item.image.overlay(
      mask: item.mask, palette: training.classes.palette, hidden: [training.classes.ignoreLabel])
  }

  private func worst(
    _ scores: PictureScores, in folder: ExperimentFolder
  ) throws(DataError) -> [ReportPictures.Worst] {
    var segmenters: [String: Segmenter] = [:]
    func segmenter(_ preset: SegmenterPreset, _ run: ExperimentRun) throws(DataError) -> Segmenter {
      let path = folder.segmenterPath(preset.id, run)
      if let segmenter = segmenters[path] { return segmenter }
      let segmenter = try Segmenter(
        contentsOf: path, features: preset.features(features(seed: run.seed)))
      segmenters[path] = segmenter
      return segmenter
    }
    // Folds keep the segmenters of the seed that came first when they were trained.
    let complete = seeds.first { seed in
      runs(seed: seed).allSatisfy { run in
        [presets[0], presets[presets.count - 1]].allSatisfy {
          FileManager.default.fileExists(atPath: folder.segmenterPath($0.id, run))
        }
      }
    }
    guard let shown = complete else { return [] }
    let shownRuns = runs(seed: shown)
    var worst: [ReportPictures.Worst] = []
    for row in scores.worst(Self.worstCount) {
      let item = try reportedSets[row.testSet].load(row.picture)
      let run = shownRuns.first { heldOut($0).contains(row.picture) } ?? shownRuns[0]
      let (first, last) = (
        try segmenter(presets[0], run), try segmenter(presets[presets.count - 1], run)
      )
      let (before, after) = (
        try first.segment(item.image, name: item.path),
        try last.segment(item.image, name: item.path)
      )
      worst.append(
        ReportPictures.Worst(
          item, testSet: testSetNames[row.testSet], classes: training.classes,
          first: (row.scores[0], before.labels), last: (row.scores[row.scores.count - 1], after.labels),
          uncertainty: after.uncertainty, members: last.ensemble.members.count))
    }
    return worst
  }
}

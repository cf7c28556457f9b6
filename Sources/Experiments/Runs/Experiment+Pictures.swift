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
    try ReportPage(
      report: report, pictures: try pictures(scores, in: folder), wording: .init(noun: noun)
    ).write(to: folder.pagePath)
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

  /// Lines of the report whose labels are shown: the first, and of each model the last.
  private var shownLines: [Int] {
    [0] + backbones.indices.map { ($0 + 1) * presets.count - 1 }.filter { $0 > 0 }
  }

  private func worst(
    _ scores: PictureScores, in folder: ExperimentFolder
  ) throws(DataError) -> [ReportPictures.Worst] {
    let (lines, shown) = (lines, shownLines)
    var segmenters: [String: Segmenter] = [:]
    func segmenter(_ line: Int, _ run: ExperimentRun) throws(DataError) -> Segmenter {
      let (leg, preset, _) = lines[line]
      let path = folder.segmenterPath(preset.id, run)
      if let segmenter = segmenters[path] { return segmenter }
      let segmenter = try Segmenter(
        contentsOf: path, features: preset.features(leg.features(seed: run.seed)))
      segmenters[path] = segmenter
      return segmenter
    }
    // Folds keep the segmenters of the seed that came first when they were trained.
    let complete = seeds.first { seed in
      shown.allSatisfy { line in
        lines[line].leg.runs(seed: seed).allSatisfy {
          FileManager.default.fileExists(atPath: folder.segmenterPath(lines[line].preset.id, $0))
        }
      }
    }
    guard let seed = complete else { return [] }
    var worst: [ReportPictures.Worst] = []
    for row in scores.worst(Self.worstCount, of: backbones.count > 1 ? shown : [lines.count - 1]) {
      let item = try reportedSets[row.testSet].load(row.picture)
      var labels: [(iou: Double, labels: LabelMask)] = []
      var (uncertainty, members) = ([Float](), 0)
      for line in shown {
        let runs = lines[line].leg.runs(seed: seed)
        let segmenter = try segmenter(line, runs.first { heldOut($0).contains(row.picture) } ?? runs[0])
        let result = try segmenter.segment(
          item.image, name: item.path, pixelSize: item.pixelSize)
        labels.append((row.scores[line], result.labels))
        (uncertainty, members) = (result.uncertainty, segmenter.ensemble.members.count)
      }
      worst.append(
        ReportPictures.Worst(
          item, testSet: testSetNames[row.testSet], classes: training.classes,
          first: labels[0], last: labels[labels.count - 1],
          between: zip(shown, labels).dropFirst().dropLast().map { (lines[$0].name, $1.iou, $1.labels) },
          uncertainty: uncertainty, members: members))
    }
    return worst
  }
}

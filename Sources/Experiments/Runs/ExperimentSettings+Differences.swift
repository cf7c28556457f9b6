import Base
import DiffusionSegmentation
import Features

extension ExperimentSettings {
  typealias Difference = (name: String, before: String, now: String)

  /// The settings of a folder that holds runs already: those and these, with each model where its runs are.
  ///
  /// A model is known by what it is, whatever its name is now. One that is new has a folder of its own; the only one of
  /// an experiment cannot be another than the only one before.
  /// - Returns: the settings, or the first thing in which these differ from the earlier ones
  func joined(to before: ExperimentSettings) -> (settings: ExperimentSettings, difference: Difference?) {
    var all = self
    var left = before.backbones
    for (name, backbone) in backbones {
      guard let known = left.first(where: { backbone.differences(from: $0.value).isEmpty }) else { continue }
      all.backbones[name]!.folder = known.value.folder
      left[known.key] = nil
    }
    let new = backbones.keys.sorted().filter { name in
      !before.backbones.values.contains { backbones[name]!.differences(from: $0).isEmpty }
    }
    for name in new {
      let isAlone = backbones.count == 1 && before.backbones.count == 1
      if let other = isAlone ? before.backbones.values.first : left[name] {
        let difference = backbones[name]!.differences(from: other)[0]
        let item = isAlone ? difference.name : "\(name): \(difference.name)"
        return (all, (item, difference.before, difference.now))
      }
      // Another model of this name may have been given another one since.
      let taken = Set(
        all.backbones.filter { $0.key != name }.values.map(\.folder) + left.values.map(\.folder))
      var (folder, number) = (name, 2)
      while taken.contains(folder) { (folder, number) = ("\(name)-\(number)", number + 1) }
      all.backbones[name]!.folder = folder
    }
    for (name, backbone) in left {
      var (key, number) = (name, 2)
      while all.backbones[key] != nil { (key, number) = ("\(name)-\(number)", number + 1) }
      all.backbones[key] = backbone
    }
    all.presets.merge(before.presets) { now, _ in now }
    return (all, differences(from: before).first)
  }

  /// - Throws: `DataError` when models share a folder, or have one elsewhere.
  func check(file: String) throws(DataError) {
    let folders = backbones.values.map(\.folder)
    guard Set(folders).count == folders.count, folders.allSatisfy({ $0.isEmpty || NamedFeatures.isName($0) })
    else {
      throw DataError(
        .malformed, file: file, item: "backbones", expected: "a folder of its own for each, by a plain name",
        found: folders.sorted().joined(separator: ", "))
    }
  }

  private func differences(from before: ExperimentSettings) -> [Difference] {
    var differences: [Difference] = []
    func compare<Value: Equatable>(
      _ name: String, _ path: KeyPath<ExperimentSettings, Value>, _ text: (Value) -> String = { "\($0)" }
    ) {
      if self[keyPath: path] != before[keyPath: path] {
        differences.append((name, text(before[keyPath: path]), text(self[keyPath: path])))
      }
    }
    func pictures(_ paths: [String]) -> String { "\(paths.count) pictures from \(paths.first ?? "nowhere")" }
    compare("feature storage", \.featurePrecision)
    compare("fit", \.fit)
    compare("mask resizing", \.maskResampling)
    compare("orientation", \.orientation)
    compare("channels", \.channels) { $0.map { "\($0)" } ?? "those of the files" }
    compare("range", \.range) { $0 ?? "full" }
    compare("batch size", \.batchSize)
    compare("classes", \.classNames) { $0.joined(separator: ", ") }
    compare("label to ignore", \.ignoreLabel)
    compare("flip pairs", \.flipPairs)
    compare("training pictures", \.training, pictures)
    compare("test pictures", \.testSets) { $0.map(pictures).joined(separator: "; ") }
    compare("folds", \.folds) { $0.map { "\($0)" } ?? "none" }
    func settings(_ cells: [String: String]) -> String {
      SegmenterPreset.columns.compactMap { column in cells[column].map { "\(column) \($0)" } }
        .joined(separator: ", ")
    }
    for (name, cells) in presets.sorted(by: { $0.key < $1.key }) {
      if let earlier = before.presets[name], earlier != cells {
        differences.append(("preset \(name)", settings(earlier), settings(cells)))
      }
    }
    return differences
  }
}

extension ExperimentSettings.Backbone {
  /// In what this model and its activations differ from another, wherever its runs are.
  func differences(from before: ExperimentSettings.Backbone) -> [ExperimentSettings.Difference] {
    var differences: [ExperimentSettings.Difference] = []
    if checkpointSHA256 != before.checkpointSHA256 {
      differences.append(("checkpoint", "SHA-256 \(before.checkpointSHA256)", "SHA-256 \(checkpointSHA256)"))
    }
    if weights != before.weights {
      let taken = "those that 0.1.0 takes"
      differences.append(("weights", before.weights ?? taken, weights ?? taken))
    }
    if kind != before.kind { differences.append(("kind of model", before.kind, kind)) }
    for (name, now, then) in [
      ("model", options, before.options), ("activations", selection, before.selection),
      ("arrays", arrays, before.arrays),
    ] {
      for key in Set(now.keys).union(then.keys).sorted() where now[key] != then[key] {
        differences.append(("\(name): \(key)", then[key] ?? "none", now[key] ?? "none"))
      }
    }
    return differences
  }
}

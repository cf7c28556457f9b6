import Base
import Features
import PixelClassifier
import TensorCore
import TestSupport
import Testing

@Suite("Preparation of features")
struct ProjectionTests {
  private func dataset() throws -> PixelDataset {
    let picture = LabelledFeatures(
      name: "a", features: randomFeatures(height: 16, width: 12, maps: [[7, 4, 3], [5, 16, 12]]),
      labels: (0..<192).map { UInt8($0 % 3) })
    return try PixelDataset([picture], classCount: 3, ignoreLabel: 255)
  }

  private func projection(_ text: String) throws -> FeatureProjection {
    try #require(try FeatureProjection(FeaturePreparation(text), of: dataset(), random: Philox(seed: 1)))
  }

  /// Mean and covariance of all projected vectors.
  private func moments(_ dataset: PixelDataset) -> (means: [Double], covariance: [[Double]]) {
    let x = NaiveTensor(dataset.features(ofRows: Array(0..<dataset.count)))
    let (n, d) = (x.shape[0], x.shape[1])
    let means = (0..<d).map { c in (0..<n).reduce(0.0) { $0 + x.elements[$1 * d + c] } / Double(n) }
    let covariance = (0..<d).map { i in
      (0..<d).map { j in
        (0..<n).reduce(0.0) { $0 + (x.elements[$1 * d + i] - means[i]) * (x.elements[$1 * d + j] - means[j]) }
          / Double(n - 1)
      }
    }
    return (means, covariance)
  }

  @Test(
    "prepared vectors have the moments that they should", arguments: ["standardize", "pca:4", "whiten:6"])
  func moments(_ text: String) throws {
    let projection = try projection(text)
    let (means, covariance) = moments(try dataset().projected(by: projection))
    for i in means.indices {
      #expect(abs(means[i]) < 1e-4)
      for j in means.indices where i != j && text != "standardize" { #expect(abs(covariance[i][j]) < 1e-3) }
      let expected = text == "pca:4" ? Double(projection.variances[i]) : 1
      #expect(abs(covariance[i][i] - expected) < 1e-3 * max(1, expected))
    }
    if text == "pca:4" {
      #expect(
        means.count == 4
          && zip(projection.variances, projection.variances.dropFirst()).allSatisfy { $0 >= $1 })
    }
  }

  /// Fewer vectors than they are long, which takes another way.
  @Test("components of few vectors", arguments: [false, true])
  func fewVectors(whitened: Bool) throws {
    let picture = LabelledFeatures(
      name: "a", features: randomFeatures(height: 3, width: 4, maps: [[7, 3, 4], [9, 3, 4]]),
      labels: [UInt8](repeating: 0, count: 12))
    let dataset = try PixelDataset([picture], classCount: 1, ignoreLabel: 255, smallestAnnotation: 0)
    let projection = try #require(
      try FeatureProjection(
        .principalComponents(16, whitened: whitened), of: dataset, random: Philox(seed: 1)))
    // Twelve vectors less their mean span eleven directions.
    #expect(projection.outputCount == 11)
    let (_, covariance) = moments(dataset.projected(by: projection))
    for i in covariance.indices {
      for j in covariance.indices {
        let expected = i != j ? 0 : whitened ? 1 : Double(projection.variances[i])
        #expect(abs(covariance[i][j] - expected) < 1e-3)
      }
    }
    // Nothing of the variance is lost.
    let all = moments(dataset).covariance
    let total = all.indices.reduce(0) { $0 + all[$1][$1] }
    #expect(abs(Double(projection.variances.reduce(0, +)) - total) < 1e-4 * total)
  }

  @Test("the first component varies as much as any direction can")
  func largestVariance() throws {
    let (_, covariance) = moments(try dataset())
    let first = Double(try projection("pca:1").variances[0])
    #expect(covariance.indices.allSatisfy { covariance[$0][$0] <= first * 1.0001 })
  }

  @Test(
    "a classifier takes the preparation in", arguments: ["standardize", "pca:5", "whiten:5"])
  func absorbing(_ text: String) throws {
    let (dataset, projection) = (try dataset(), try projection(text))
    let prepared = dataset.projected(by: projection)
    let classifier = try ClassifierTrainer(batchSize: 32, maxEpochs: 2).trainMember(
      0, on: prepared, random: Philox(seed: 2))
    let rows = Array(0..<dataset.count)
    let expected = classifier.logits(prepared.features(ofRows: rows))
    let whole = classifier.absorbing(projection)
    #expect(whole.featureCount == dataset.featureCount)
    expectClose(whole.logits(dataset.features(ofRows: rows)), NaiveTensor(expected), absolute: 2e-3)
  }

  @Test("the same bits with any number of threads")
  func threads() throws {
    let results = try withThreadCounts([1, 2, 3]) {
      try dataset().projected(by: projection("whiten:5")).features(ofRows: [3, 50, 100])
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test("reads what it writes, and nothing else")
  func texts() throws {
    for text in ["none", "standardize", "pca:12", "whiten:3"] {
      #expect(try FeaturePreparation(text).description == text)
    }
    for text in ["", "pca", "pca:0", "pca:x", "whiten:-1", "none:1", "zca:3"] {
      #expect(throws: DataError.self) { try FeaturePreparation(text) }
    }
    #expect(try FeatureProjection(.none, of: dataset(), random: Philox(seed: 0)) == nil)
  }

  @Test("features that are the same everywhere have no components, and are left out of a standardisation")
  func constant() throws {
    let map = FeatureMap(
      FeatureKey("step0/block0", order: 0), activation: Tensor(repeating: 2, shape: [1, 4, 4, 3]))
    let flat = try PixelDataset(
      [
        LabelledFeatures(
          name: "flat", features: FeatureMaps(maps: [map], height: 4, width: 4),
          labels: (0..<16).map { UInt8($0 % 2) })
      ], classCount: 2, ignoreLabel: 255, smallestAnnotation: 0)
    let error = #expect(throws: DataError.self) {
      try FeatureProjection(.principalComponents(2, whitened: true), of: flat, random: Philox(seed: 0))
    }
    #expect(error?.found == "the same everywhere")
    let standardized = try #require(try FeatureProjection(.standardized, of: flat, random: Philox(seed: 0)))
    #expect(flat.projected(by: standardized).features(ofRows: [0, 5]).elements.allSatisfy { $0 == 0 })
  }

  /// Vectors with one feature of each kind: a signal, a constant, a constant far from 0, a signal far from 0, rounding
  /// about a large number.
  private func difficult(_ change: (Int, inout [Float]) -> Void = { _, _ in }) throws -> PixelDataset {
    var random = Philox(seed: 9)
    let pixels = 4096
    var values = [Float](repeating: 0, count: 5 * pixels)
    for pixel in 0..<pixels {
      let signal = random.normalPair().0
      let rounding: Float = random.nextWord() & 1 == 0 ? 0 : 0.0625
      var line: [Float] = [signal, 0.1, 12_345.678, 100_000 + 20 * signal, 1_000_000 + rounding]
      change(pixel, &line)
      for feature in 0..<5 { values[pixel * 5 + feature] = line[feature] }
    }
    let map = FeatureMap(
      FeatureKey("step1/block0", order: 0), activation: Tensor(values, shape: [1, 64, 64, 5]),
      precision: .float)
    return try PixelDataset(
      [
        LabelledFeatures(
          name: "a", features: FeatureMaps(maps: [map], height: 64, width: 64),
          labels: [UInt8](repeating: 0, count: pixels))
      ], classCount: 1, ignoreLabel: 255)
  }

  @Test("constants become 0, and what is far from 0 keeps its signal")
  func constantsAndOffsets() throws {
    let dataset = try difficult()
    let projection = try #require(
      try FeatureProjection(.standardized, of: dataset, random: Philox(seed: 1), sampleSize: 4096))
    #expect(projection.variances.map { $0 > 0 } == [true, false, false, true, false])
    #expect(abs(projection.variances[3] / (400 * projection.variances[0]) - 1) < 1e-3)
    let (means, covariance) = moments(dataset.projected(by: projection))
    for (feature, expected) in [1.0, 0, 0, 1, 0].enumerated() {
      #expect(abs(means[feature]) < 1e-3 && abs(covariance[feature][feature] - expected) < 2e-3)
    }
  }

  @Test("vectors that are all the same have no components", arguments: [false, true])
  func nothingButConstants(whitened: Bool) throws {
    let dataset = try difficult { _, line in line = [0.1, 0.3, 12_345.678, -7, 1e6] }
    let error = #expect(throws: DataError.self) {
      try FeatureProjection(
        .principalComponents(2, whitened: whitened), of: dataset, random: Philox(seed: 1), sampleSize: 4096)
    }
    #expect(error?.found == "the same everywhere")
  }

  @Test("features that are no numbers are named", arguments: [Float.nan, .infinity])
  func noNumbers(bad: Float) throws {
    let dataset = try difficult { pixel, line in if pixel == 77 { line[3] = bad } }
    for preparation in [FeaturePreparation.standardized, .principalComponents(2, whitened: true)] {
      let error = #expect(throws: DataError.self) {
        try FeatureProjection(preparation, of: dataset, random: Philox(seed: 1), sampleSize: 4096)
      }
      #expect(error?.item == "feature 3")
    }
  }
}

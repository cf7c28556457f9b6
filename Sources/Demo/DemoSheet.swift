import Base
import DiffusionSegmentation
import Images
import SyntheticScenes

/// Some test scenes beside their truth and what each contender made of them.
struct DemoSheet {
  let test: [SyntheticScene]
  let contenders: [Contender]
  let outcomes: [Contender.Outcome]

  private static let mostRows = 8
  /// Sides below this are magnified.
  private static let legibleSide = 128

  func image() throws(DataError) -> Image {
    let classes = SyntheticScenes.classes
    let titles = ["scene", "truth"] + contenders.map(\.name) + ["uncertainty"]
    var sheet = ContactSheet(columns: titles.count, columnTitles: titles, textScale: 1)
    let range =
      0...uncertaintyScale(
        members: outcomes[outcomes.count - 1].ensemble.members.count, classes: classes.count)
    for (index, scene) in test.prefix(Self.mostRows).enumerated() {
      let zoom = max(1, Self.legibleSide / scene.image.width)
      let masks = [scene.mask] + outcomes.map(\.predictions[index].labels)
      let last = outcomes[outcomes.count - 1].predictions[index]
      let pictures =
        [scene.image] + masks.map { Image(mask: $0, palette: classes.palette) } + [
          Image(heatmap: last.uncertainty, width: last.labels.width, height: last.labels.height, range: range)
        ]
      for picture in pictures { sheet.append(picture.magnified(zoom)) }
    }
    return try sheet.image()
  }
}

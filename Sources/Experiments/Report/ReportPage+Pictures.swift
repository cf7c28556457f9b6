import Foundation
import Images

// Pictures, each a data: URI.
extension ReportPage {
  /// A line of pictures for each test picture that went badly.
  var worstPictures: Markup {
    guard !pictures.worst.isEmpty else { return "" }
    let names = pictures.worst[0].labels(first, last).map(\.id)
    let heads = ["image", "truth"] + names + ["difference", "uncertainty"]
    let head = heads.map { name -> Markup in "<th scope=\"col\">\(name)</th>" }
    let lines = pictures.worst.enumerated().map { worstLine($1, $0) }
    let table: Markup = """
      <table class="pictures" style="--pictures: \("\(heads.count)")">
      <thead><tr><th scope="col">picture</th>\(head.joined())</tr></thead>
      <tbody>
      \(lines.joined(separator: "\n"))
      </tbody>
      </table>
      """
    return """
      <p>Worst first. The IoU is the mean over the classes that are in the picture. The difference shows where the labels of
      \(last.id) are wrong. Colours are those of the
      <a href="#classes">classes</a>.</p>
      \(Self.wide("Worst pictures", table))
      """
  }

  private func worstLine(_ worst: ReportPictures.Worst, _ index: Int) -> Markup {
    let labels = worst.labels(first, last)
    let parts: [(String, Image)] =
      [("image", worst.image), ("truth", worst.truth)] + labels.map { ("labels of \($0.id)", $0.image) } + [
        ("where the labels of \(last.id) are wrong", worst.difference),
        ("uncertainty of \(last.id)", worst.uncertainty),
      ]
    let cells = parts.map { name, image -> Markup in
      "<td>\(Self.picture(image, alternative: "\(worst.name): \(name)"))</td>"
    }
    let scores = labels.enumerated().map { place, line -> Markup in
      let name = place == 0 ? "first" : place == labels.count - 1 ? "last" : "\(place)"
      return """
        <dt>\(line.id)</dt><dd id="worst-\(index)-\(name)" data-value="\("\(line.iou)")">\
        \(Figure.percent(line.iou, digits: 1)) %</dd>
        """
    }
    return """
      <tr><th scope="row"><span>\(worst.name)</span> <small>\(worst.testSet)</small>
      <dl>\(scores.joined(separator: "\n"))</dl></th>
      \(cells.joined(separator: "\n"))</tr>
      """
  }

  /// Training pictures and what the augmentations made of them.
  var previews: Markup {
    pictures.previews.map { preview -> Markup in
      let copies = preview.copies.enumerated().map { index, copy -> Markup in
        Self.picture(copy, alternative: "\(preview.name): changed copy \(index + 1), with its labels")
      }
      let row: Markup = """
        <div class="row">
        \(Self.picture(preview.original, alternative: "\(preview.name): original, with its labels"))
        \(copies.joined(separator: "\n"))
        </div>
        """
      return """
        <figure class="preview">
        <figcaption>\(preview.name): the original\(copies.isEmpty ? "" : " and its copies")</figcaption>
        \(row)
        </figure>
        """
    }.joined(separator: "\n")
  }

  /// The classes and their colours.
  var legend: Markup {
    let entries = report.classes.map { entry -> Markup in
      // The colour is text from a file; only a colour may become part of a style.
      let swatch: Markup =
        RGB(hex: entry.color).map { "<i style=\"background:\("\($0)")\"></i>" } ?? "<i></i>"
      return "<li>\(swatch) \(entry.name)\(entry.isScored ? "" : " <small>not scored</small>")</li>"
    }
    return "<ul class=\"legend\">\n\(entries.joined(separator: "\n"))\n</ul>"
  }

  static func picture(_ image: Image, alternative: String) -> Markup {
    guard let png = try? image.encoded(.png) else {
      preconditionFailure("no memory for a picture of \(image.width) x \(image.height)")
    }
    // Small pictures are enlarged; their pixels are then what one wants to see.
    let sharp: Markup = image.width < 128 ? " class=\"sharp\"" : ""
    return """
      <img\(sharp) width="\(image.width)" height="\(image.height)" alt="\(alternative)" \
      src="data:image/png;base64,\(Data(png).base64EncodedString())"/>
      """
  }
}

extension ReportPictures.Worst {
  /// The labels of all lines that are shown, in their order.
  func labels(_ first: ExperimentReport.Preset, _ last: ExperimentReport.Preset) -> [ReportPictures.Labels] {
    [.init(id: first.id, iou: firstIoU, image: self.first)] + between
      + [.init(id: last.id, iou: lastIoU, image: self.last)]
  }
}

import Annotations
import Foundation
import Images
import TestSupport

extension FuzzTarget {
  private static let shapes = ShapeLabels(names: ["background", "cell"], ignoresUnknown: true)

  /// Draws small pictures; large ones take their time by right.
  private static func draw(_ picture: AnnotatedPicture) throws {
    let (width, height) = (picture.width ?? 9, picture.height ?? 7)
    guard width <= 256, height <= 256 else { return }
    _ = try picture.mask(shapes, width: width, height: height, file: "f")
  }

  static func cvat() throws -> FuzzTarget {
    let text = """
      <?xml version="1.0" encoding="utf-8"?><!-- made by hand -->
      <annotations><version>1.1</version><meta><task><labels><label><name>cell</name><type>any</type></label></labels>
      </task></meta><image id="0" name="a.png" width="9" height="7">
      <box label="cell" xtl="1.0" ytl="1.0" xbr="3.5" ybr="4.0" rotation="30.0" z_order="1"/>
      <polygon label="cell" points="0.0,0.0;4.0,0.5;3.0,3.0"></polygon>
      <ellipse label="&#99;ell" cx="4.0" cy="3.0" rx="2.0" ry="1.0"/>
      <mask label="cell" rle="1, 3, 2, 2" left="2" top="1" width="4" height="2" z_order="0"/>
      <points label="cell" points="1,1"/></image></annotations>
      """
    return FuzzTarget(ending: "xml", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      for picture in try CVATFile(contentsOf: path).pictures { try draw(picture) }
    }
  }

  static func labelMe() throws -> FuzzTarget {
    let mask = Data(try LabelMask(width: 3, height: 2, labels: [1, 0, 1, 0, 1, 0]).encoded())
    let text = """
      {"version": "5.4.1", "flags": {}, "imagePath": "a.png", "imageData": null, "imageHeight": 7, "imageWidth": 9,
      "shapes": [{"label": "cell", "points": [[1, 1], [3, 2]], "shape_type": "mask", "mask": "\(mask.base64EncodedString())"},
      {"label": "cell", "points": [[0.5, 0.5], [4, 1], [3, 3]], "group_id": null, "shape_type": "polygon", "flags": {}},
      {"label": "cell", "points": [[4, 4], [6, 4]], "shape_type": "circle"}]}
      """
    return FuzzTarget(ending: "json", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      try draw(LabelMeFile(contentsOf: path).picture)
    }
  }

  static func coco() throws -> FuzzTarget {
    let text = """
      {"images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 7}], "categories": [{"id": 1, "name": "cell"}],
      "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 3]], "iscrowd": 0},
      {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [7, 9], "counts": [10, 20, 33]}, "iscrowd": 1},
      {"id": 3, "image_id": 1, "category_id": 1, "segmentation": {"size": [7, 9], "counts": ":d0Q1"}}]}
      """
    return FuzzTarget(ending: "json", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      for picture in try COCOFile(contentsOf: path).pictures { try draw(picture) }
    }
  }

  static func geoJSON() throws -> FuzzTarget {
    let text = """
      {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon",
      "coordinates": [[[0, 0], [5, 0], [5, 5], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]},
      "properties": {"objectType": "annotation", "classification": {"name": "cell", "color": [200, 0, 0]}}}]}
      """
    return FuzzTarget(ending: "json", seeds: [Array(text.utf8)], mutations: TextMutation.all) { path in
      try draw(GeoJSONFile(contentsOf: path, name: "a.png").picture)
    }
  }
}

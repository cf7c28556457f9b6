import Base
import Foundation
import Images

/// The layout of Pascal VOC: `JPEGImages/x.jpg`, `SegmentationClass/x.png`, indexed, 255 for pixels that are not used.
public enum PascalVOC {
  /// Folder of the pictures.
  public static let pictures = "JPEGImages"
  /// Folder of the masks.
  public static let masks = "SegmentationClass"
  /// The 20 classes and the background, by label.
  public static let classNames = [
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
  ]

  /// The colours of all 256 labels: the bits of the label, three at a time, are the highest bits of red, green and blue
  /// (`VOClabelcolormap` of the development kit).
  public static let palette = Palette(
    colors: (0..<256).map { label in
      var (red, green, blue) = (0, 0, 0)
      for bit in 0..<8 {
        let three = label >> (3 * bit)
        red |= (three & 1) << (7 - bit)
        green |= (three >> 1 & 1) << (7 - bit)
        blue |= (three >> 2 & 1) << (7 - bit)
      }
      return RGB(UInt8(red), UInt8(green), UInt8(blue))
    })

  /// Whether a folder has both folders of the layout.
  public static func isLayout(_ directory: String) -> Bool {
    [pictures, masks].allSatisfy { name in
      var isFolder: ObjCBool = false
      let path = (directory as NSString).appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
  }
}

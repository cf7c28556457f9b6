/// What a file says about which side of its picture is up.
struct StoredOrientation: Equatable {
  /// 1...8 as EXIF counts; 1, upright, when nothing is said or what is said cannot be used.
  var value = 1
  /// Where it stands: EXIF or XMP.
  var source = "EXIF"
  /// Why what stands there cannot be used.
  var damage: String?
}

/// The orientation in EXIF and XMP metadata.
///
/// Source: EXIF 2.32 (CIPA DC-008), section 4.6; TIFF 6.0, section 2; XMP Specification, part 2.
enum EXIF {
  /// The orientation that the pieces of metadata of one file give: the first EXIF that has one, else the
  /// first XMP, the order of Pillow.
  static func orientation(exif: [Slice<UnsafeRawBufferPointer>], xmp: [Slice<UnsafeRawBufferPointer>])
    -> StoredOrientation
  {
    var damage: String?
    for piece in exif {
      switch tag(in: UnsafeRawBufferPointer(rebasing: piece)) {
      case .missing: continue
      // Some programs write 0 for unknown.
      case .value(0): return StoredOrientation()
      case .value(let value) where (1...8).contains(value): return StoredOrientation(value: value)
      case .value: damage = damage ?? "its EXIF orientation is none of 1 to 8; taken as upright"
      case .damaged: damage = damage ?? "its EXIF data is damaged; taken as upright"
      }
    }
    if damage == nil {
      for piece in xmp {
        guard let value = xmpValue(in: UnsafeRawBufferPointer(rebasing: piece)), (1...8).contains(value)
        else { continue }
        return StoredOrientation(value: value, source: "XMP")
      }
    }
    return StoredOrientation(damage: damage)
  }

  private enum Tag {
    case missing
    case value(Int)
    case damaged
  }

  /// Tag 0x0112 of the first directory of a TIFF structure.
  private static func tag(in tiff: UnsafeRawBufferPointer) -> Tag {
    guard tiff.count >= 8 else { return .damaged }
    let isLittle = tiff[0] == UInt8(ascii: "I")
    guard isLittle || tiff[0] == UInt8(ascii: "M"), tiff[1] == tiff[0] else { return .damaged }
    /// A number of `size` bytes; the caller has checked that they are there.
    func number(_ size: Int, at offset: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(tiff[offset + $1]) << (8 * (isLittle ? $1 : size - 1 - $1)) }
    }
    guard number(2, at: 2) == 42 else { return .damaged }
    let directory = number(4, at: 4)
    guard directory >= 8, directory + 2 <= tiff.count else { return .damaged }
    for entry in 0..<number(2, at: directory) {
      let start = directory + 2 + 12 * entry
      guard start + 12 <= tiff.count else { return .damaged }
      guard number(2, at: start) == 0x0112 else { continue }
      // The standard's type is SHORT; some programs write BYTE or LONG.
      guard let size = [1: 1, 3: 2, 4: 4][number(2, at: start + 2)], number(4, at: start + 4) >= 1
      else { return .damaged }
      return .value(number(size, at: start + 8))
    }
    return .missing
  }

  /// The digit of `tiff:Orientation="6"` or `<tiff:Orientation>6<`.
  private static func xmpValue(in xmp: UnsafeRawBufferPointer) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    guard xmp.count > name.count + 2 else { return nil }
    for start in 0..<xmp.count - name.count - 2
    where xmp[start] == name[0] && xmp[start..<start + name.count].elementsEqual(name) {
      var next = start + name.count
      if xmp[next] == UInt8(ascii: "="), [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(xmp[next + 1]) {
        next += 2
      } else if xmp[next] == UInt8(ascii: ">") {
        next += 1
      } else {
        continue
      }
      guard next < xmp.count, (48...57).contains(xmp[next]) else { continue }
      return Int(xmp[next]) - 48
    }
    return nil
  }
}

import CKernels

// x: [N, H, W, C]   gradient: at y, [N, H, W, O]   C and O rounded up to whole lanes and panels
// v: [36, tiles, C]   g: [36, tiles, O]   m: [36, C, O]   result: [3, 3, C, O]

/// The gradient of a 3×3 convolution of stride 1 and padding 1 at its weight, by the transpose of F(4×4, 3×3): with
/// `y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A`, `dw = Gᵀ [Σ (A g Aᵀ) ⊙ (Bᵀ d B)] G` over all tiles. A quarter of the products that
/// patches take.
struct WinogradWeightGradient {
  let shape: ConvolutionShape
  let input: BandReader
  let gradient: BandReader

  private let inLanes: Int
  private let outLanes: Int
  private let tilesAcross: Int
  private let tilesDown: Int
  private let frequencies = 36

  init(shape: ConvolutionShape, input: BandReader, gradient: BandReader) {
    self.shape = shape
    self.input = input
    self.gradient = gradient
    inLanes = wholeLanes(shape.inChannels)
    outLanes = winogradColumns(shape.outChannels, order: .fastest)
    tilesAcross = (shape.width + 3) / 4
    tilesDown = (shape.height + 3) / 4
  }

  /// Tiles that are transformed at a time.
  private static let tilesPerBlock = 64
  /// Sums that run side by side, over parts of the tiles that depend on the shape alone.
  private static let sideBySide = 8
  /// Floats of a sum that stay in the second cache.
  private static let cachedSum = 1 << 18
  /// Floats of transformed tiles that exist at a time (64 MiB): all of them are 36 / 16 times both activations, gigabytes
  /// for a batch of pictures of 256 pixels.
  static let mostTransformed = 1 << 24

  /// Writes `[3, 3, C, O]`.
  func run(into target: UnsafeMutablePointer<Float>) {
    let size = frequencies * inLanes * outLanes
    let rows = shape.batch * tilesDown
    if size <= Self.cachedSum && rows >= Self.sideBySide {
      runSideBySide(size: size, rows: rows, into: target)
    } else {
      runByFrequency(size: size, rows: rows, into: target)
    }
  }

  /// Each thread takes tiles from the pictures into a sum of its own.
  private func runSideBySide(size: Int, rows: Int, into target: UnsafeMutablePointer<Float>) {
    let rowsPerSum = (rows + Self.sideBySide - 1) / Self.sideBySide
    let sums = (rows + rowsPerSum - 1) / rowsPerSum
    let rowsPerBlock = max(1, Self.tilesPerBlock / tilesAcross)
    let tiles = rowsPerBlock * tilesAcross
    let (inSlot, outSlot) = (slotSize(tiles * inLanes), slotSize(tiles * outLanes))
    withScratch(count: sums * size) { all in
      parallelFor(rows, inBlocksOf: rowsPerSum) { rows in
        let sum = all + rows.lowerBound / rowsPerSum * size
        withScratch(count: frequencies * (inSlot + outSlot)) { v in
          let g = v + frequencies * inSlot
          for start in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsPerBlock) {
            let block = start..<min(rows.upperBound, start + rowsPerBlock)
            transform(block, v: v, inSlot: inSlot, g: g, outSlot: outSlot)
            for frequency in 0..<frequencies {
              multiply(
                v + frequency * inSlot, g + frequency * outSlot, tiles: block.count * tilesAcross,
                adding: start > rows.lowerBound, into: sum + frequency * inLanes * outLanes)
            }
          }
        }
      }
      parallelFor(size, inBlocksOf: elementwiseBlock) { range in
        for sum in 1..<max(sums, 1) {
          let from = all + sum * size
          for i in range { all[i] += from[i] }
        }
      }
      transformBack(all, into: target)
    }
  }

  /// Rows of tiles together, as many as fit into `mostTransformed`, the frequencies shared out.
  private func runByFrequency(size: Int, rows: Int, into target: UnsafeMutablePointer<Float>) {
    let rowsPerPart = min(
      rows, max(1, Self.mostTransformed / (frequencies * tilesAcross * (inLanes + outLanes))))
    let tiles = rowsPerPart * tilesAcross
    let (inSlot, outSlot) = (slotSize(tiles * inLanes), slotSize(tiles * outLanes))
    withScratch(count: frequencies * (inSlot + outSlot) + size) { v in
      let g = v + frequencies * inSlot
      let m = g + frequencies * outSlot
      for start in stride(from: 0, to: rows, by: rowsPerPart) {
        let part = start..<min(rows, start + rowsPerPart)
        parallelFor(part.count, inBlocksOf: (part.count + 7) / 8) { block in
          let first = block.lowerBound * tilesAcross
          transform(
            start + block.lowerBound..<start + block.upperBound, v: v + first * inLanes, inSlot: inSlot,
            g: g + first * outLanes, outSlot: outSlot)
        }
        parallelFor(frequencies) { frequency in
          multiply(
            v + frequency * inSlot, g + frequency * outSlot, tiles: part.count * tilesAcross,
            adding: start > 0, into: m + frequency * inLanes * outLanes)
        }
      }
      transformBack(m, into: target)
    }
  }

  private func slotSize(_ count: Int) -> Int { count + 16 }

  // MARK: Parts

  /// Rows of tiles, over all samples, of the input and of the gradient.
  private func transform(
    _ rows: Range<Int>, v: UnsafeMutablePointer<Float>, inSlot: Int, g: UnsafeMutablePointer<Float>,
    outSlot: Int
  ) {
    var (v, g) = (v, g)
    forEachSample(rows, rowsPerSample: tilesDown) { sample, rows in
      let height = 4 * rows.lowerBound..<4 * rows.upperBound
      let (inRow, outRow) = ((4 * tilesAcross + 2) * inLanes, 4 * tilesAcross * outLanes)
      withScratch(count: (height.count + 2) * inRow) { band in
        input.fill(
          band, sample: sample, rows: height.lowerBound - 1..<height.upperBound + 1,
          columns: -1..<4 * tilesAcross + 1, stride: inLanes)
        for row in 0..<rows.count {
          let tiles = dseg_tile_input(
            band: band + row * 4 * inRow, row_size: inRow, channels: inLanes, tiles: tilesAcross)
          dseg_winograd4_input(tiles, v, inSlot)
          v += tilesAcross * inLanes
        }
      }
      withScratch(count: height.count * outRow) { band in
        gradient.fill(band, sample: sample, rows: height, columns: 0..<4 * tilesAcross, stride: outLanes)
        for row in 0..<rows.count {
          let tiles = dseg_tile_input(
            band: band + row * 4 * outRow, row_size: outRow, channels: outLanes, tiles: tilesAcross)
          dseg_winograd4_gradient(tiles, g, outSlot)
          g += tilesAcross * outLanes
        }
      }
    }
  }

  /// `m (+)= vᵀ g` of one frequency.
  private func multiply(
    _ v: UnsafePointer<Float>, _ g: UnsafePointer<Float>, tiles: Int, adding: Bool,
    into m: UnsafeMutablePointer<Float>
  ) {
    if PackedOrder.fastest == .panels {
      dseg_transposed_product(
        dseg_transposed_product(
          x: v, x_stride: inLanes, u: g, u_stride: outLanes, y: m, y_stride: outLanes, depth: tiles,
          rows: inLanes, columns: outLanes, adds: adding ? 1 : 0))
    } else {
      GEMM.multiply(
        Matrix(v, rows: tiles, columns: inLanes).transposed, Matrix(g, rows: tiles, columns: outLanes),
        beta: adding ? 1 : 0, into: MutableMatrix(m, rows: inLanes, columns: outLanes))
    }
  }

  /// `Gᵀ m G` of every pair of channels.
  private func transformBack(_ m: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    typealias Outputs = SIMD16<Float>
    let slot = inLanes * outLanes
    parallelFor(shape.inChannels) { c in
      withUnsafeTemporaryAllocation(of: Outputs.self, capacity: 18) { lines in
        for first in stride(from: 0, to: shape.outChannels, by: Outputs.scalarCount) {
          let place = UnsafeRawPointer(m + c * outLanes + first)
          for row in 0..<6 {
            WinogradTile4.transformBack(
              {
                place.loadUnaligned(
                  fromByteOffset: (row * 6 + $0) * slot * MemoryLayout<Float>.stride, as: Outputs.self)
              }, { lines[row * 3 + $0] = $1 })
          }
          let count = min(Outputs.scalarCount, shape.outChannels - first)
          for column in 0..<3 {
            WinogradTile4.transformBack({ lines[$0 * 3 + column] }) { row, value in
              let line = target + ((row * 3 + column) * shape.inChannels + c) * shape.outChannels + first
              if count == Outputs.scalarCount {
                UnsafeMutableRawPointer(line).storeBytes(of: value, as: Outputs.self)
              } else {
                for lane in 0..<count { line[lane] = value[lane] }
              }
            }
          }
        }
      }
    }
  }
}

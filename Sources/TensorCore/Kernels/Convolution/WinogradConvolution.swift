import CKernels

// x: [N, H, W, C]   y: [N, H, W, K]   size² frequencies; C and K rounded up to whole lanes
// v: [size², tiles, C]   weight: [size², C, K]   m: [size², tiles, K], of some of the outputs K

/// A 3×3 convolution of stride 1 and padding 1 by a Winograd algorithm.
///
/// Tiles of the input are transformed, every frequency is a matrix product over the channels, and the products
/// are transformed back. Work is cut into rows of tiles, over all samples, by the shape alone.
struct WinogradConvolution<Tile: WinogradTile> {
  let shape: ConvolutionShape
  let input: BandReader
  /// `[size², C, K]`, of `outputs` alone
  let weight: UnsafePointer<Float>
  /// The output channels that are computed.
  let outputs: Range<Int>
  let output: ConvolutionOutput
  let order: PackedOrder

  private let inLanes: Int
  private let outLanes: Int
  private let tilesAcross: Int
  private let tilesDown: Int
  private let frequencies = Tile.size * Tile.size

  init(
    shape: ConvolutionShape, input: BandReader, weight: UnsafePointer<Float>, outputs: Range<Int>,
    output: ConvolutionOutput, order: PackedOrder
  ) {
    precondition(
      shape.kernelHeight == 3 && shape.kernelWidth == 3 && shape.stride == 1 && shape.padding == 1
        && shape.dilation == 1, "a Winograd algorithm with \(shape)")
    self.shape = shape
    self.input = input
    self.weight = weight
    self.outputs = outputs
    self.output = output
    self.order = order
    inLanes = wholeLanes(shape.inChannels)
    outLanes = winogradColumns(outputs.count, order: order)
    tilesAcross = (shape.width + Tile.outSize - 1) / Tile.outSize
    tilesDown = (shape.height + Tile.outSize - 1) / Tile.outSize
  }

  /// Tiles that a thread takes from input to output at a time: enough for efficient products, few enough for
  /// their transforms to stay near the cache.
  private static var tilesPerBlock: Int { 64 }
  /// With fewer blocks the weights would be read for little work, and threads left without any.
  private static var fewestBlocks: Int { 4 }

  func run() {
    let rows = shape.batch * tilesDown
    // Wide pictures are cut across as well, into pieces of much the same width.
    let pieces = (tilesAcross + Self.tilesPerBlock - 1) / Self.tilesPerBlock
    let columnsPerBlock = (tilesAcross + pieces - 1) / pieces
    let rowsPerBlock = max(1, Self.tilesPerBlock / columnsPerBlock)
    guard rows * pieces >= Self.fewestBlocks * rowsPerBlock else { return runByFrequency() }
    let blocksDown = (rows + rowsPerBlock - 1) / rowsPerBlock
    parallelFor(blocksDown * pieces) { block in
      let (down, across) = (block / pieces * rowsPerBlock, block % pieces * columnsPerBlock)
      runBlock(
        Tiles(
          rows: down..<min(rows, down + rowsPerBlock),
          columns: across..<min(tilesAcross, across + columnsPerBlock)))
    }
  }

  /// A rectangle of tiles, its rows counted over all samples.
  private struct Tiles {
    var rows: Range<Int>
    var columns: Range<Int>
    var count: Int { rows.count * columns.count }
  }

  /// Some tiles from input to output.
  private func runBlock(_ tiles: Tiles) {
    let slot = slotSize(tiles.count * max(inLanes, outLanes))
    withScratch(count: slot * (frequencies + 1)) { m in
      // Each product is written where the frequency before it was read from.
      let v = m + slot
      transformInput(tiles, into: v, slot: slot)
      for frequency in 0..<frequencies {
        multiply(frequency, v + frequency * slot, into: m + frequency * slot, tiles: tiles.count)
      }
      transformOutput(tiles, from: m, slot: slot)
    }
  }

  /// All tiles at once, the frequencies shared out: every weight is read once.
  private func runByFrequency() {
    let rows = shape.batch * tilesDown
    let tiles = rows * tilesAcross
    let rowsPerPiece = (rows + 7) / 8
    func piece(_ rows: Range<Int>) -> Tiles { Tiles(rows: rows, columns: 0..<tilesAcross) }
    let (inSlot, outSlot) = (slotSize(tiles * inLanes), slotSize(tiles * outLanes))
    withScratch(count: inSlot * frequencies) { v in
      withScratch(count: outSlot * frequencies) { m in
        parallelFor(rows, inBlocksOf: rowsPerPiece) { rows in
          transformInput(piece(rows), into: v + rows.lowerBound * tilesAcross * inLanes, slot: inSlot)
        }
        parallelFor(frequencies) { frequency in
          multiply(frequency, v + frequency * inSlot, into: m + frequency * outSlot, tiles: tiles)
        }
        parallelFor(rows, inBlocksOf: rowsPerPiece) { rows in
          transformOutput(piece(rows), from: m + rows.lowerBound * tilesAcross * outLanes, slot: outSlot)
        }
      }
    }
  }

  /// One line of the cache more than the data, so that the same place of all frequencies, which the transforms
  /// touch together, falls into different sets.
  private func slotSize(_ count: Int) -> Int { count + 16 }

  private func multiply(
    _ frequency: Int, _ v: UnsafePointer<Float>, into m: UnsafeMutablePointer<Float>, tiles: Int
  ) {
    let weights = PackedMatrix(
      base: weight + frequency * inLanes * outLanes, rows: inLanes, columns: outLanes, order: order)
    weights.multiply(
      Matrix(v, rows: tiles, columns: inLanes), into: MutableMatrix(m, rows: tiles, columns: outLanes))
  }

  // MARK: Transforms

  /// Tiles of the input to `[size², tiles, C]`.
  private func transformInput(_ tiles: Tiles, into v: UnsafeMutablePointer<Float>, slot: Int) {
    let left = tiles.columns.lowerBound * Tile.outSize - 1
    let bandColumns = left..<tiles.columns.upperBound * Tile.outSize + 1
    let rowSize = bandColumns.count * inLanes
    var target = v
    forEachSample(tiles.rows, rowsPerSample: tilesDown) { sample, rows in
      let bandRows = rows.lowerBound * Tile.outSize - 1..<rows.upperBound * Tile.outSize + 1
      withScratch(count: bandRows.count * rowSize) { band in
        input.fill(band, sample: sample, rows: bandRows, columns: bandColumns, stride: inLanes)
        for row in 0..<rows.count {
          let line = dseg_tile_input(
            band: band + row * Tile.outSize * rowSize, row_size: rowSize, channels: inLanes,
            tiles: tiles.columns.count)
          Tile.transformInput(line, into: target, slot: slot)
          target += tiles.columns.count * inLanes
        }
      }
    }
  }

  /// `[size², tiles, K]` to tiles of the output.
  private func transformOutput(_ tiles: Tiles, from m: UnsafePointer<Float>, slot: Int) {
    let rowSize = shape.width * shape.outChannels
    let left = tiles.columns.lowerBound * Tile.outSize
    var source = m
    forEachSample(tiles.rows, rowsPerSample: tilesDown) { sample, rows in
      for row in rows {
        let top = row * Tile.outSize
        let offset =
          (sample * shape.height + top) * rowSize + left * shape.outChannels + outputs.lowerBound
        let line = dseg_tile_output(
          y: output.y + offset, residual: output.residual.map { $0 + offset },
          bias: output.bias + sample * output.biasStride + outputs.lowerBound, channels: outputs.count,
          pixel_size: shape.outChannels, row_size: rowSize,
          width: min(tiles.columns.count * Tile.outSize, shape.width - left), height: shape.height - top,
          stride: outLanes, applies_relu: output.activation == .relu ? 1 : 0)
        Tile.transformOutput(source, slot: slot, into: line)
        source += tiles.columns.count * outLanes
      }
    }
  }
}

/// The output channels rounded up to whole lanes and whole panels.
func winogradColumns(_ outChannels: Int, order: PackedOrder) -> Int {
  let multiple = max(order.columnMultiple, wholeLanes(1))
  return (outChannels + multiple - 1) / multiple * multiple
}

/// The channels rounded up to whole lanes, in which the transforms run.
func wholeLanes(_ channels: Int) -> Int {
  let lanes = Int(dseg_lanes)
  return (channels + lanes - 1) / lanes * lanes
}

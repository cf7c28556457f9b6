import Images
import TensorCore
import Testing

/// Against `Fixtures/golden`, whose pictures went through Pillow, torchvision, OpenCV and PyTorch.
@Suite struct GoldenImageTests {
  @Test(arguments: [
    ("png_rgb_37_to_32", 32), ("png_rgb_wide", 32), ("png_rgb_up", 32), ("png_grey", 24), ("png_palette", 20),
    ("png_rgba", 29), ("jpeg_rgb", 32),
  ])
  func `pictures reach the network bit for bit`(name: String, size: Int) throws {
    let file = "golden/images/\(name).\(name.hasPrefix("jpeg") ? "jpg" : "png")"
    let decoded = try Image(contentsOf: Fixtures.path(file))
    let resized = decoded.resized(shortSide: size)
    let tensor = resized.tensor(normalization: name == "png_rgba" ? .imageNet : .ddpm)
    #expect(decoded.pixels == (try Golden.values("\(name)/out/decoded_rgb").bytes))
    #expect(resized.pixels == (try Golden.values("\(name)/out/resized_rgb").bytes))
    let expected = try Golden.values("\(name)/out/tensor")
    #expect(tensor == Tensor(expected.floats, shape: expected.shape))
  }

  @Test(arguments: ["crop_large", "crop_near"])
  func `training pictures are cropped bit for bit`(name: String) throws {
    let crop = try Image(contentsOf: Fixtures.path("golden/images/\(name).png")).centerCropped(size: 32)
    #expect(crop.pixels == (try Golden.values("\(name)/out/rgb").bytes))
    let expected = try Golden.values("\(name)/out/tensor")
    #expect(crop.tensor(normalization: .ddpmTraining) == Tensor(expected.floats, shape: expected.shape))
  }

  @Test(arguments: ["mask_nearest_down", "mask_nearest_up", "mask_nearest_rect"])
  func `masks are resized as by OpenCV`(name: String) throws {
    let source = try Golden.values("\(name)/in/mask")
    let expected = try Golden.values("\(name)/out/y")
    let mask = LabelMask(width: source.shape[1], height: source.shape[0], labels: source.bytes)
    #expect(mask.resized(width: expected.shape[1], height: expected.shape[0]).labels == expected.bytes)
  }

  @Test func `samples are made of network outputs as by the reference`() throws {
    let input = try Golden.values("to_uint8/in/x", file: "diffusion.safetensors").floats
    let expected = try Golden.values("to_uint8/out/y", file: "diffusion.safetensors").bytes
    #expect(input.map { Image.sample(fromSigned: $0) } == expected)
  }
}

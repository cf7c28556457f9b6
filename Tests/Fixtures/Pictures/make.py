"""Makes the TIFF files of this folder and expected.json, what Pillow, tifffile, OpenCV and NumPy read in them.

    pip install pillow tifffile imagecodecs opencv-python-headless numpy && python make.py

JPEG's and Deflate's bytes may differ between versions of the libraries; the expected samples then differ with them.
"""

import json
import struct
from base64 import b64encode

import cv2
import numpy as np
import tifffile
from PIL import Image

W, H = 9, 7
entries = []
rng = np.random.default_rng(17)


def noise(*shape, low=0, high=256, dtype=np.uint8):
    return rng.integers(low, high, shape, dtype=np.int64).astype(dtype)


def smooth(width, height, channels):
    """A picture that JPEG keeps."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / (3 + c) + y / 5 + c) for c in range(channels)]
    return np.stack(planes, -1).clip(0, 255).astype(np.uint8)


def expect(file, pixels, source, page=None, tolerance=0, **reading):
    """pixels: [h, w] grey or [h, w, 3]."""
    pixels = np.asarray(pixels)
    assert pixels.dtype == np.uint8, file
    entries.append(
        dict(
            file=file, page=page, source=source, width=pixels.shape[1], height=pixels.shape[0],
            channels=1 if pixels.ndim == 2 else 3, samples=b64encode(pixels.tobytes()).decode(), tolerance=tolerance,
            reading=reading,
        )
    )


def half_up(x):
    return np.floor(np.asarray(x, np.float64) + 0.5).clip(0, 255).astype(np.uint8)


def scaled(values, low, high):
    v = np.asarray(values, np.float64)
    out = half_up((np.nan_to_num(v, nan=low, posinf=high, neginf=low).clip(low, high) - low) / (high - low) * 255)
    return out


def write(name, data, **options):
    options.setdefault("software", False)
    options.setdefault("metadata", None)
    tifffile.imwrite(name, data, **options)
    return tifffile.imread(name)


def pillow(name, page=0, mode="RGB"):
    image = Image.open(name)
    image.seek(page)
    return np.asarray(image.convert(mode))


def raw(name, width, height, bits, values, photometric, tags=(), fill=None):
    """One strip of packed samples, the first in the highest bits, in a file of the high byte first."""
    rows = b""
    for row in values:
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        rows += bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    entries_ = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits]), 259: (3, [1]), 262: (3, [photometric]),
                273: (4, [8]), 277: (3, [1]), 278: (3, [height]), 279: (4, [len(rows)])}
    entries_.update(dict(tags))
    start = 8 + len(rows) + len(rows) % 2
    extra, body = b"", b""
    data_at = start + 2 + 12 * len(entries_) + 4
    for tag in sorted(entries_):
        kind, numbers = entries_[tag]
        packed = b"".join(struct.pack(">H" if kind == 3 else ">I", n) for n in numbers)
        if len(packed) > 4:
            value = struct.pack(">I", data_at + len(extra))
            extra += packed
        else:
            value = packed.ljust(4, b"\0")
        body += struct.pack(">HHI", tag, kind, len(numbers)) + value
    with open(name, "wb") as f:
        f.write(b"MM\0*" + struct.pack(">I", start) + rows + b"\0" * (len(rows) % 2))
        f.write(struct.pack(">H", len(entries_)) + body + b"\0\0\0\0" + extra)


# Whole numbers of 8 bits.
grey, rgb = noise(H, W), noise(H, W, 3)
write("grey8.tif", grey, photometric="minisblack")
expect("grey8.tif", pillow("grey8.tif", mode="L"), "Pillow")
write("white8.tif", grey, photometric="miniswhite")
expect("white8.tif", pillow("white8.tif", mode="L"), "Pillow")
write("rgb8_strips.tif", rgb, photometric="rgb", rowsperstrip=4)
expect("rgb8_strips.tif", pillow("rgb8_strips.tif"), "Pillow")
expect("rgb8_strips.tif", rgb[..., [2, 0, 1]], "tifffile", channels=[2, 0, 1])
expect("rgb8_strips.tif", rgb[..., 1], "tifffile", channels=[1])
write("rgb8_big_endian.tif", rgb, photometric="rgb", byteorder=">", rowsperstrip=2)
expect("rgb8_big_endian.tif", pillow("rgb8_big_endian.tif"), "Pillow")
write("rgb8_planar.tif", rgb.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate", rowsperstrip=4)
expect("rgb8_planar.tif", rgb, "tifffile")
expect("rgb8_planar.tif", rgb[..., [2, 2, 0]], "tifffile", channels=[2, 2, 0])
for compression in ["lzw", "zlib", "packbits"]:
    flat = (rgb // 64 * 64).repeat(2, 1)[:, :W].copy()
    write(f"rgb8_{compression}.tif", flat, photometric="rgb", compression=compression, rowsperstrip=5)
    expect(f"rgb8_{compression}.tif", pillow(f"rgb8_{compression}.tif"), "Pillow")
wide = smooth(20, 18, 3)
write("rgb8_tiles.tif", wide, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)
expect("rgb8_tiles.tif", cv2.imread("rgb8_tiles.tif", cv2.IMREAD_UNCHANGED)[..., ::-1], "OpenCV")
write("rgb8_planar_tiles.tif", wide.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate",
      tile=(16, 16), compression="lzw")
expect("rgb8_planar_tiles.tif", wide, "tifffile")
write("big.tif", grey, photometric="minisblack", bigtiff=True, tile=(16, 16), compression="zlib")
expect("big.tif", pillow("big.tif", mode="L"), "Pillow")

# JPEG inside.
write("jpeg_grey.tif", wide[..., 0].copy(), photometric="minisblack", compression="jpeg", compressionargs={"level": 80})
expect("jpeg_grey.tif", pillow("jpeg_grey.tif", mode="L"), "Pillow", tolerance=1)
write("jpeg_ycbcr_tiles.tif", smooth(20, 18, 3), photometric="ycbcr", subsampling=(2, 2), compression="jpeg",
      tile=(16, 16), compressionargs={"level": 80})
expect("jpeg_ycbcr_tiles.tif", pillow("jpeg_ycbcr_tiles.tif"), "Pillow", tolerance=1)
Image.fromarray(wide).save("jpeg_strips.tif", compression="jpeg", quality=85)
expect("jpeg_strips.tif", pillow("jpeg_strips.tif"), "Pillow", tolerance=1)

# Few bits.
bits = noise(H, W, high=2)
write("bilevel.tif", bits.astype(bool), photometric="minisblack")
expect("bilevel.tif", pillow("bilevel.tif", mode="L"), "Pillow")
Image.fromarray((bits * 255).astype(np.uint8)).convert("1").save("fax4.tif", compression="group4")
expect("fax4.tif", pillow("fax4.tif", mode="L"), "Pillow")
for depth in [2, 4]:
    values = noise(H, W, high=1 << depth)
    for name, photometric in [("grey", 1), ("white", 0)]:
        raw(f"{name}{depth}.tif", W, H, depth, values, photometric)
        expect(f"{name}{depth}.tif", pillow(f"{name}{depth}.tif", mode="L"), "Pillow")
values = noise(H, W, high=4096, dtype=np.uint16)
raw("grey12.tif", W, H, 12, values, 1)
expect("grey12.tif", scaled(values, 0, 4095), "NumPy")
palette = noise(3 * 16, high=65536, dtype=np.uint16)
values = noise(H, W, high=16)
raw("palette4.tif", W, H, 4, values, 3, {320: (3, list(palette))}.items())
expect("palette4.tif", (palette.reshape(3, 16).T[values] >> 8).astype(np.uint8), "NumPy")
indexed = Image.fromarray(noise(H, W, high=5)).convert("P")
indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 200, 0, 9, 8, 7, 250, 251, 252])
indexed.save("palette8.tif", compression="tiff_lzw")
expect("palette8.tif", pillow("palette8.tif"), "Pillow")

# More bits and other numbers.
deep = noise(H, W, high=65536, dtype=np.uint16)
write("grey16.tif", deep, photometric="minisblack", compression="zlib", predictor=True)
expect("grey16.tif", scaled(tifffile.imread("grey16.tif"), 0, 65535), "tifffile")
low, high = np.percentile(deep.astype(np.float64), [2.5, 90])
expect("grey16.tif", scaled(deep, low, high), "NumPy", range="percentile:2.5,90")
expect("grey16.tif", scaled(deep, deep.min(), deep.max()), "NumPy", range="min,max")
expect("grey16.tif", scaled(deep, 100, 4000), "NumPy", range="values:100,4000")
write("white16.tif", deep, photometric="miniswhite", byteorder=">")
expect("white16.tif", 255 - scaled(deep, 0, 65535), "tifffile")
deep = noise(H, W, 3, low=100, high=4000, dtype=np.uint16)
write("rgb16_tiles.tif", deep, photometric="rgb", tile=(16, 16), byteorder=">", compression="lzw", predictor=True)
expect("rgb16_tiles.tif", scaled(deep, 0, 65535), "tifffile")
low, high = np.percentile(deep.astype(np.float64), [0.1, 99.9])
expect("rgb16_tiles.tif", scaled(deep, low, high), "NumPy", range="percentile:0.1,99.9")
low, high = np.percentile(deep[..., [2, 0, 0]].astype(np.float64), [10, 80])
expect("rgb16_tiles.tif", scaled(deep[..., [2, 0, 0]], low, high), "NumPy", range="percentile:10,80", channels=[2, 0, 0])
for name, dtype in [("int8", np.int8), ("int16", np.int16), ("int32", np.int32), ("uint32", np.uint32)]:
    info = np.iinfo(dtype)
    data = noise(H, W, low=info.min, high=info.max + 1, dtype=dtype)
    write(f"{name}.tif", data, photometric="minisblack")
    expect(f"{name}.tif", scaled(tifffile.imread(f"{name}.tif"), info.min, info.max), "tifffile")
    low, high = np.percentile(data.astype(np.float64), [5, 95])
    expect(f"{name}.tif", scaled(data, low, high), "NumPy", range="percentile:5,95")
for name, dtype in [("float16", np.float16), ("float32", np.float32), ("float64", np.float64)]:
    data = (rng.normal(0.5, 0.4, (H, W))).astype(dtype)
    data[0, :3] = [np.nan, np.inf, -np.inf]
    write(f"{name}.tif", data, photometric="minisblack", byteorder="<" if name == "float32" else ">")
    expect(f"{name}.tif", scaled(tifffile.imread(f"{name}.tif"), 0, 1), "tifffile")
    finite = data[np.isfinite(data)].astype(np.float64)
    low, high = np.percentile(finite, [1, 97.5])
    expect(f"{name}.tif", scaled(data.astype(np.float64), low, high), "NumPy", range="percentile:1,97.5")

# Colours and channels.
rgba = noise(H, W, 4)
write("rgba.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
expect("rgba.tif", pillow("rgba.tif", mode="RGBA")[..., :3], "Pillow")
expect("rgba.tif", rgba[..., 3], "tifffile", channels=[3])
write("premultiplied.tif", rgba, photometric="rgb", extrasamples=["assocalpha"])
expect("premultiplied.tif", tifffile.imread("premultiplied.tif")[..., :3], "tifffile")
Image.fromarray(noise(H, W, 4), "CMYK").save("cmyk.tif")
expect("cmyk.tif", pillow("cmyk.tif"), "Pillow")
Image.fromarray(wide).convert("YCbCr").save("ycbcr.tif")
expect("ycbcr.tif", pillow("ycbcr.tif"), "Pillow", tolerance=1)
many = noise(5, H, W, high=65536, dtype=np.uint16)
write("five_channels.tif", many, photometric="minisblack", planarconfig="separate")
expect("five_channels.tif", scaled(many[0], 0, 65535), "tifffile")
expect("five_channels.tif", scaled(many[[4, 0, 3]].transpose(1, 2, 0), 0, 65535), "tifffile", channels=[4, 0, 3])

# Pages, orientation, pixel sizes.
with tifffile.TiffWriter("pages.tif") as file:
    pages = [noise(7, 5), noise(4, 6, 3), noise(3, 3, high=65536, dtype=np.uint16)]
    file.write(pages[0], photometric="minisblack", software=False, metadata=None)
    file.write(pages[1][::2, ::2].copy(), photometric="rgb", subfiletype=1, software=False, metadata=None)
    file.write(pages[1], photometric="rgb", software=False, metadata=None)
    file.write(pages[2], photometric="minisblack", software=False, metadata=None)
expect("pages.tif", pages[0], "tifffile", page=0)
expect("pages.tif", pages[1], "tifffile", page=1)
expect("pages.tif", scaled(pages[2], 0, 65535), "tifffile", page=2)
write("turned.tif", rgb, photometric="rgb", extratags=[(274, 3, 1, 6, True)])
expect("turned.tif", np.rot90(rgb, -1), "NumPy")
write("ome.ome.tif", grey, photometric="minisblack", metadata={
    "axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 700, "PhysicalSizeYUnit": "nm"})
expect("ome.ome.tif", grey, "tifffile")
write("imagej.tif", grey, imagej=True, resolution=(4, 2), metadata={"unit": "um"})
expect("imagej.tif", grey, "tifffile")
write("resolution.tif", grey, photometric="minisblack", resolution=(20000, 10000), resolutionunit="CENTIMETER")
expect("resolution.tif", grey, "tifffile")

# Labels.
labels = noise(H, W, high=4)
write("labels16.tif", labels.astype(np.uint16), photometric="minisblack", compression="zlib")
masks = Image.fromarray(labels).convert("P")
masks.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
masks.save("labels_palette.tif", compression="packbits")
entries.append(dict(file="labels16.tif", labels=b64encode(labels.tobytes()).decode(), width=W, height=H))
entries.append(dict(file="labels_palette.tif", labels=b64encode(np.asarray(Image.open("labels_palette.tif")).tobytes()).decode(),
                    width=W, height=H))

# PNG and JPEG through the same options.
deep = noise(H, W, 3, high=65536, dtype=np.uint16)
cv2.imwrite("rgb16.png", deep[..., ::-1])
expect("rgb16.png", scaled(deep, 0, 65535), "NumPy")
low, high = np.percentile(deep[..., 1].astype(np.float64), [5, 60])
expect("rgb16.png", scaled(deep[..., 1], low, high), "NumPy", range="percentile:5,60", channels=[1])
Image.fromarray(smooth(W, H, 4), "CMYK").save("cmyk.jpg", quality=90)
expect("cmyk.jpg", pillow("cmyk.jpg"), "Pillow")

with open("expected.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")
print(len(entries), "entries")

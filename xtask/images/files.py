"""Image files of all kinds that Pillow, tifffile and OpenCV write, and the grey planes that they read of them.

`python files.py FOLDER` writes the files, `NAME.f32` with the plane of each (little-endian, row by row), and prints, as its last line, a
JSON object: the versions, and for each file its name, its size, the programs that read that plane, and those that read another one.
The plane of a file without loss is the one that it was made of; that of a JPEG is Pillow's, which reads with libjpeg.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

import cv2
import handmade
import imagecodecs
import numpy as np
import PIL
import tifffile
import tiffs
from PIL import Image

warnings.simplefilter("ignore")
FOLDER = Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
SIZES = [(45, 70), (16, 16), (33, 9)]
found = []


def source(height, width, channels, maximum):
    """Gradients and noise, the same for the same arguments."""
    y, x, c = np.mgrid[:height, :width, :channels]
    random = np.random.default_rng(height * 31 + width * 7 + channels)
    values = (x * 0.7 / width + y * 0.2 / height + c * 0.03 + 0.05 * random.random(x.shape)) * maximum
    return values.squeeze(axis=2) if channels == 1 else values


def grey(values, maximum):
    """Rec. 601 luma of the colours, without alpha, in [0, 1]."""
    values = np.asarray(values, np.float64) / maximum
    if values.ndim == 2:
        return values
    if values.shape[2] in (1, 2):
        return values[..., 0]
    return values[..., 0] * 0.299 + values[..., 1] * 0.587 + values[..., 2] * 0.114


def maximum_of(values):
    return 1.0 if values.dtype.kind == "f" else 1.0 if values.dtype == bool else np.iinfo(values.dtype).max


def by_pillow(path):
    with Image.open(path) as image:
        image.load()
        if image.mode in ("P", "PA", "YCbCr"):
            image = image.convert("RGB")
        if image.mode in ("CMYK", "I"):
            raise ValueError(image.mode)
        values = np.asarray(image)
        return grey(values, maximum_of(values))


def by_opencv(path):
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("not read")
    if values.ndim == 3:
        values = values[..., [2, 1, 0]]
    return grey(values, maximum_of(values))


def by_tifffile(path):
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        values = page.asarray()
        kind = page.photometric.name
        if kind == "PALETTE":
            colours = page.colormap.astype(np.uint16) >> 8
            return grey(np.moveaxis(colours[:, values], 0, 2), 255)
        if page.planarconfig == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, 2)
        plane = grey(values, maximum_of(values))
        return 1 - plane if kind == "MINISWHITE" else plane


def add(name, plane=None):
    """Reads a file by all programs. `plane` is what it was made of."""
    path = FOLDER / name
    planes = {}
    readers = [("Pillow", by_pillow), ("OpenCV", by_opencv)]
    if path.suffix == ".tif":
        readers.append(("tifffile", by_tifffile))
    for reader, read in readers:
        try:
            planes[reader] = read(path).astype(np.float32)
        except Exception:
            pass
    expected = planes.get("Pillow") if plane is None else plane.astype(np.float32)
    if expected is None:
        expected = next(iter(planes.values()), None)
    agree = [
        reader
        for reader, values in planes.items()
        if values.shape == expected.shape and np.abs(values - expected).max() < 2e-6
    ]
    if expected is not None:
        expected.astype("<f4").tofile(path.with_name(name + ".f32"))
    height, width = (0, 0) if expected is None else expected.shape
    differ = [reader for reader in planes if reader not in agree]
    found.append({"name": name, "width": width, "height": height, "agree": agree, "differ": differ})


def pillow_image(mode, height, width):
    channels = {"1": 1, "L": 1, "P": 1, "I;16": 1, "F": 1, "LA": 2, "RGB": 3, "YCbCr": 3}.get(mode, 4)
    maximum = {"I;16": 65535, "F": 1}.get(mode, 255)
    values = source(height, width, channels, maximum)
    if mode == "1":
        return Image.fromarray(values > 120)
    if mode == "P":
        return Image.fromarray(source(height, width, 3, 255).astype(np.uint8)).quantize(64)
    if mode == "F":
        return Image.fromarray(values.astype(np.float32))
    if mode == "I;16":
        return Image.fromarray(values.astype(np.uint16))
    return Image.fromarray(values.astype(np.uint8), mode if mode in ("LA", "YCbCr", "CMYK", "RGBA") else None)


def plane_of(image):
    image = image.convert("RGB") if image.mode in ("P", "YCbCr") else image
    values = np.asarray(image)
    return grey(values, maximum_of(values))


def save(image, name, plane, **options):
    try:
        image.save(FOLDER / name, **options)
    except Exception:
        return
    add(name, plane)


def pillow():
    for (height, width), mode in itertools.product(SIZES, ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F", "CMYK", "YCbCr"]):
        image = pillow_image(mode, height, width)
        tag = f"{mode.replace(';', '')}-{width}x{height}"
        plane = None if mode == "CMYK" else plane_of(image)
        for suffix in ("png", "bmp"):
            save(image, f"pillow-{tag}.{suffix}", plane)
        for compression in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "group3", "group4", "tiff_ccitt", "jpeg", "zstd", "lzma"):
            lossless = plane if compression != "jpeg" and mode != "YCbCr" else None
            save(image, f"pillow-{tag}-{compression}.tif", lossless, compression=compression)
        if mode in ("L", "RGB", "CMYK"):
            for quality, progressive, restart in itertools.product((30, 90), (False, True), (0, 3)):
                for subsampling in (0, 1, 2) if mode == "RGB" else (0,):
                    name = f"pillow-{tag}-{quality}-{subsampling}-{int(progressive)}-{restart}.jpg"
                    options = {"quality": quality, "progressive": progressive, "optimize": restart > 0}
                    options["restart_marker_blocks"] = restart
                    save(image, name, None, subsampling=subsampling, **options)


def tiff_files():
    kinds = {"grey": (1, {}), "alpha": (2, {"extrasamples": ["unassalpha"]}), "rgb": (3, {}), "rgba": (4, {"extrasamples": ["unassalpha"]}), "rgbx": (4, {"extrasamples": ["unspecified"]})}
    height, width = SIZES[0]
    for kind, (channels, extra) in kinds.items():
        for dtype, tile, compression in itertools.product(("u1", "u2", "f4", "f8"), (None, (16, 16)), (None, "zlib", "lzw", "packbits")):
            for planar, predictor, order, big in ((0, 0, "<", 0), (0, 1, ">", 0), (1, 0, ">", 1), (1, 1, "<", 0)):
                if (planar and channels == 1) or (predictor and compression not in ("zlib", "lzw")):
                    continue
                maximum = {"u1": 255, "u2": 65535}.get(dtype, 1)
                values = source(height, width, channels, maximum).astype(dtype)
                name = f"tifffile-{kind}-{dtype}-{'tile' if tile else 'strip'}-{compression}-{planar}{predictor}{'lb'[order == '>']}{big}.tif"
                data = np.moveaxis(values, 2, 0) if planar else values
                options = {"photometric": "rgb" if channels > 2 else "minisblack", "compression": compression, "byteorder": order}
                if channels > 1:
                    options["planarconfig"] = "separate" if planar else "contig"
                if predictor:
                    options["predictor"] = 3 if dtype[0] == "f" else 2
                try:
                    tifffile.imwrite(FOLDER / name, data, tile=tile, bigtiff=bool(big), rowsperstrip=None if tile else 8, **options, **extra)
                except Exception:
                    continue
                add(name, grey(values, maximum))
    for bits, dtype in ((2, "u1"), (4, "u1"), (10, "u2"), (12, "u2"), (14, "u2")):
        values = source(height, width, 1, 2**bits - 1).astype(dtype)
        name = f"tifffile-grey-{bits}bits.tif"
        try:
            tifffile.imwrite(FOLDER / name, values, bitspersample=bits, photometric="minisblack")
        except Exception:
            continue
        add(name, values / (2**bits - 1))
    for kind, options in {"ycbcr": {"subsampling": (2, 2)}, "ycbcr11": {"subsampling": (1, 1)}}.items():
        values = source(height, width, 3, 255).astype(np.uint8)
        name = f"tifffile-jpeg-{kind}.tif"
        tifffile.imwrite(FOLDER / name, values, photometric="rgb", compression="jpeg", compressionargs={"level": 90, "outcolorspace": "ycbcr"}, **options)
        add(name)
    stack = np.zeros((3, 20, 30), np.uint16)
    tifffile.imwrite(FOLDER / "tifffile-pages.tif", stack, photometric="minisblack")
    add("tifffile-pages.tif")
    tifffile.imwrite(FOLDER / "tifffile-imagej.tif", stack, imagej=True)
    add("tifffile-imagej.tif")


def opencv():
    for (height, width), channels, dtype in itertools.product(SIZES, (1, 3, 4), ("u1", "u2", "f4")):
        maximum = {"u1": 255, "u2": 65535}.get(dtype, 1)
        values = source(height, width, channels, maximum).astype(dtype)
        colours = values if channels == 1 else values[..., [2, 1, 0, 3][:channels]]
        tag = f"{channels}-{dtype}-{width}x{height}"
        files = {} if dtype == "f4" else {f"opencv-{tag}.png": []}
        if dtype == "u1":
            files[f"opencv-{tag}.bmp"] = []
        for compression in (1, 5, 8, 32773):
            files[f"opencv-{tag}-{compression}.tif"] = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
        for name, options in files.items():
            if cv2.imwrite(str(FOLDER / name), colours, options):
                add(name, grey(values, maximum))
        if dtype != "u1" or channels == 4:
            continue
        for factor, progressive, restart in itertools.product((0x111111, 0x211111, 0x221111, 0x411111, 0x121111), (0, 1), (0, 2)):
            if channels == 1 and factor != 0x111111:
                continue
            name = f"opencv-{tag}-{factor:x}-{progressive}-{restart}.jpg"
            options = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
            if cv2.imwrite(str(FOLDER / name), colours, options):
                add(name)


def handmade_files():
    for name, data, plane in itertools.chain(handmade.pngs(), handmade.bmps(), handmade.jpegs(), tiffs.tiffs()):
        (FOLDER / name).write_bytes(data)
        add(name, plane)


pillow()
tiff_files()
opencv()
handmade_files()
versions = {"Pillow": PIL.__version__, "tifffile": tifffile.__version__, "OpenCV": cv2.__version__, "imagecodecs": imagecodecs.__version__}
print(json.dumps({"versions": versions, "files": found}))

"""Bytes of TIFF files of kinds that tifffile writes on demand only, or that are made of its files by changes of a few bytes: each function
yields names, bytes, and planes of the picture, or None where it is left to the programs that read the file."""

import io
import itertools
import struct

import numpy as np
import tifffile

SIZE = (45, 70)


def picture(channels, maximum, seed=5):
    shape = SIZE if channels == 1 else (*SIZE, channels)
    return np.random.default_rng(seed).integers(0, maximum + 1, shape)


def written(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def luma(values, maximum):
    values = values / maximum
    return values[..., 0] * 0.299 + values[..., 1] * 0.587 + values[..., 2] * 0.114


def patched(data, tag, kind=None, value=None, renamed=None):
    """A little-endian file whose directory has another tag, type or short value in place of that of `tag`."""
    data = bytearray(data)
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            if renamed:
                struct.pack_into("<H", data, entry, renamed)
            if value is not None:
                struct.pack_into("<HIHH", data, entry + 2, kind, 1, value, 0)
    return bytes(data)


def parts(data):
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        return list(zip(page.dataoffsets, page.databytecounts))


def with_reversed_bits(data):
    """FillOrder (266) is 2, whose tag takes the room of that of Software (305)."""
    table = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    for offset, count in parts(data):
        data = data[:offset] + data[offset : offset + count].translate(table) + data[offset + count :]
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    entries = [data[place + 2 + 12 * index : place + 14 + 12 * index] for index in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != 305]
    entries.append(struct.pack("<HHIHH", 266, 3, 1, 2, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    return data[: place + 2] + b"".join(entries) + data[place + 2 + 12 * count :]


def samples():
    """Samples beside the colours, whatever they are called, and 0 for white."""
    kinds = {"unspecified": "unspecified", "associated": "assocalpha", "alpha": "unassalpha"}
    for (kind, extra), channels, planar, tile, predictor in itertools.product(kinds.items(), (2, 4), (0, 1), (None, (16, 16)), (0, 1)):
        for (dtype, maximum), opaque in itertools.product((("u1", 255), ("u2", 65535)), (0, 1)):
            values = picture(channels, maximum).astype(dtype)
            if opaque:
                values[..., -1] = maximum
            plane = values[..., 0] / maximum if channels == 2 else luma(values, maximum)
            options = {"photometric": "minisblack" if channels == 2 else "rgb", "extrasamples": [extra], "tile": tile}
            options["planarconfig"] = "separate" if planar else "contig"
            if predictor:
                options |= {"predictor": 2, "compression": "zlib"}
            data = np.moveaxis(values, 2, 0) if planar else values
            name = f"tiffs-{kind}-{channels}-{dtype}-{'tile' if tile else 'strip'}-{planar}{predictor}{opaque}.tif"
            yield name, written(data, **options), plane
    for dtype, maximum in (("u1", 255), ("u2", 65535)):
        values = picture(1, maximum).astype(dtype)
        yield f"tiffs-miniswhite-{dtype}.tif", written(values, photometric="miniswhite"), 1 - values / maximum


def palettes():
    values = picture(1, 255).astype("u1")
    colours = np.random.default_rng(6).integers(0, 65536, (3, 256)).astype("u2")
    plane = luma(np.moveaxis((colours >> 8)[:, values], 0, 2), 255)
    for compression, tile in itertools.product((None, "lzw", "zlib"), (None, (16, 16))):
        options = {"photometric": "palette", "colormap": colours, "compression": compression, "tile": tile}
        yield f"tiffs-palette-{compression}-{'tile' if tile else 'strip'}.tif", written(values, **options), plane


def layouts():
    """FillOrder, missing lengths, volumes, and a strip whose JPEG ends early."""
    values = picture(1, 255).astype("u1")
    for compression, tile in itertools.product((None, "lzw", "zlib", "packbits"), (None, (16, 16))):
        data = written(values, photometric="minisblack", compression=compression, tile=tile, software="-", metadata=None)
        name = f"tiffs-fill-order-{compression}-{'tile' if tile else 'strip'}.tif"
        yield name, with_reversed_bits(data), values / 255
    for compression in (None, "zlib"):
        data = written(values, photometric="minisblack", compression=compression)
        # 280 is MinSampleValue, and comes next in order.
        yield f"tiffs-without-byte-counts-{compression}.tif", patched(data, 279, renamed=280), values / 255
    volume = np.zeros((16, 32, 32), "u1")
    yield "tiffs-volume.tif", written(volume, photometric="minisblack", volumetric=True, tile=(16, 16, 16)), None
    yield "tiffs-stack.tif", written(volume[:, :, :], photometric="minisblack", planarconfig="separate"), None
    data = bytearray(written(values, photometric="minisblack", compression="jpeg"))
    offset, count = parts(data)[0]
    data[offset + count // 2 : offset + count // 2 + 2] = b"\xff\xd9"
    yield "tiffs-jpeg-cut-but-closed.tif", bytes(data), values / 255


def tiffs():
    return itertools.chain(samples(), palettes(), layouts())

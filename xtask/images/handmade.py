"""Bytes of image files of kinds that the usual programs read but do not write: each function yields names, bytes, and planes of the
picture, or None where the plane is what libjpeg makes of the file."""

import itertools
import struct
import zlib

import numpy as np

# Zigzag order of the coefficients of a block (ITU-T T.81, figure A.6).
ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8 if (i // 8 + i % 8) % 2 else i % 8)))


def luma(colours, maximum):
    colours = np.asarray(colours, np.float64) / maximum
    return colours[..., 0] * 0.299 + colours[..., 1] * 0.587 + colours[..., 2] * 0.114


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_rows(samples, depth):
    """The packed rows of a picture (height, width, channels), filtered in turn by none and by the difference to the left."""
    rows = []
    for y, row in enumerate(samples.reshape(samples.shape[0], -1)):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            packed = np.packbits(bits.astype(np.uint8).ravel()).tobytes()
        step = max(1, samples.shape[2] * depth // 8)
        if y % 2:
            values = np.frombuffer(packed, np.uint8)
            left = np.concatenate([np.zeros(step, np.uint8), values])[: len(values)]
            packed = (values - left).tobytes()
        rows.append(bytes([y % 2]) + packed)
    return b"".join(rows)


def png(samples, depth, colour_type, interlaced, before=b""):
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes]
    data = b"".join(png_rows(part, depth) for part in parts if part.size)
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    packed = zlib.compress(data)
    middle = len(packed) // 2
    idats = chunk(b"IDAT", packed[:middle]) + chunk(b"IDAT", packed[middle:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + idats + chunk(b"IEND", b"")


def pngs():
    """Each colour type, depth and order of rows; animations of one frame."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    random = np.random.default_rng(1)
    for (height, width), interlaced in itertools.product([(45, 37), (3, 2), (1, 1)], (0, 1)):
        for colour_type, count in channels.items():
            for depth in depths[colour_type]:
                samples = random.integers(0, 2**depth, (height, width, count))
                before = b""
                plane = samples[..., 0] / (2**depth - 1) if count < 3 else luma(samples, 2**depth - 1)
                if colour_type == 3:
                    palette = random.integers(0, 256, (2**depth, 3)).astype(np.uint8)
                    before = chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", bytes([0, 200]))
                    plane = luma(palette[samples[..., 0]], 255)
                elif colour_type == 0:
                    before = chunk(b"tRNS", struct.pack(">H", 1))
                name = f"handmade-{colour_type}-{depth}-{'interlaced' if interlaced else 'plain'}-{width}x{height}.png"
                yield name, png(samples, depth, colour_type, interlaced, before), plane
    samples = random.integers(0, 256, (9, 11, 1))
    frame = struct.pack(">IIIIIHHBB", 0, 11, 9, 0, 0, 1, 10, 0, 0)
    control = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", frame)
    yield "handmade-apng-of-one-frame.png", png(samples, 8, 0, 0, control), samples[..., 0] / 255


def bmp(width, height, bits, compression, palette, data, masks=b""):
    start = 54 + len(masks) + len(palette)
    head = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    colours = len(palette) // 4
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
    return head + info + masks + palette + data


def bmps():
    """Rows from the top down, five bits a colour, run lengths."""
    random = np.random.default_rng(2)
    for height, width in [(45, 37), (8, 16)]:
        tag = f"{width}x{height}.bmp"
        grey = random.integers(0, 256, (height, width)).astype(np.uint8)
        palette = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(256, 4)
        palette[:, 3] = 0
        rows = b"".join(row.tobytes() + bytes(-width % 4) for row in grey)
        yield f"handmade-top-down-{tag}", bmp(width, -height, 8, 0, palette.tobytes(), rows), grey / 255
        runs = np.repeat(random.integers(0, 256, (height, width // 4 + 1)), 4, axis=1)[:, :width].astype(np.uint8)
        coded = b""
        for row in runs[::-1]:
            for x in range(0, width, 4):
                coded += bytes([min(4, width - x), row[x]])
            coded += b"\0\0"
        yield f"handmade-rle8-{tag}", bmp(width, height, 8, 1, palette.tobytes(), coded + b"\0\1"), runs / 255
        few = random.integers(0, 16, (height, width))
        packed = few[::-1]
        packed = np.pad(packed, ((0, 0), (0, -width % 8)))
        data = (packed[:, ::2] << 4 | packed[:, 1::2]).astype(np.uint8).tobytes()
        yield f"handmade-4-{tag}", bmp(width, height, 4, 0, palette[:256:17].tobytes(), data), few / 15


def bits_of(value, length):
    return [value >> bit & 1 for bit in range(length - 1, -1, -1)]


class Scan:
    """Entropy-coded data with codes of 4 bits for DC coefficients and of 8 for the others, the number of the symbol each."""

    AC = [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, 8)]

    def __init__(self):
        self.bits = []
        self.dc = {}

    def magnitude(self, value):
        size = int(abs(value)).bit_length()
        return size, bits_of(value - 1 if value < 0 else value, size)[:size] if size else []

    def put(self, component, block):
        difference = int(block[0]) - self.dc.get(component, 0)
        self.dc[component] = int(block[0])
        size, rest = self.magnitude(difference)
        self.bits += bits_of(size, 4) + rest
        run = 0
        for value in block[1:]:
            if value == 0:
                run += 1
                continue
            while run > 15:
                self.bits += bits_of(1, 8)
                run -= 16
            size, rest = self.magnitude(int(value))
            self.bits += bits_of(self.AC.index(run << 4 | size), 8) + rest
            run = 0
        if run:
            self.bits += bits_of(0, 8)

    def data(self):
        bits = self.bits + [1] * (-len(self.bits) % 8)
        return np.packbits(np.array(bits, np.uint8)).tobytes().replace(b"\xff", b"\xff\0")


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(width, height, parts, scans, before=b"", seed=3):
    """`parts` are the names and sampling factors of the components, `scans` the indices of those in each scan."""
    random = np.random.default_rng(seed)
    h_max, v_max = max(h for _, h, _ in parts), max(v for _, _, v in parts)
    units = -(-width // (8 * h_max)), -(-height // (8 * v_max))
    blocks = []
    for _, h, v in parts:
        block = np.zeros((units[1] * v, units[0] * h, 64), int)
        block[..., 0] = random.integers(-60, 60, block.shape[:2])
        block[..., 1:6] = random.integers(-9, 10, (*block.shape[:2], 5))
        block[..., 40] = random.integers(-3, 4, block.shape[:2])
        blocks.append(block)
    codes = segment(0xC4, b"\0" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    codes += segment(0xC4, b"\x10" + bytes([0] * 7 + [len(Scan.AC)] + [0] * 8) + bytes(Scan.AC))
    listed = b"".join(bytes([name, h << 4 | v, 0]) for name, h, v in parts)
    file = b"\xff\xd8" + before + segment(0xDB, b"\0" + bytes([8] * 64)) + codes
    file += segment(0xC0, struct.pack(">BHHB", 8, height, width, len(parts)) + listed)
    for indices in scans:
        header = bytes([len(indices)]) + b"".join(bytes([parts[index][0], 0]) for index in indices)
        file += segment(0xDA, header + bytes([0, 63, 0]))
        scan = Scan()
        if len(indices) == 1:
            (index,) = indices
            _, h, v = parts[index]
            size = -(-width * h // h_max), -(-height * v // v_max)
            for y, x in itertools.product(range(-(-size[1] // 8)), range(-(-size[0] // 8))):
                scan.put(index, blocks[index][y, x])
        else:
            for uy, ux, index in itertools.product(range(units[1]), range(units[0]), indices):
                _, h, v = parts[index]
                for y, x in itertools.product(range(v), range(h)):
                    scan.put(index, blocks[index][uy * v + y, ux * h + x])
        file += scan.data()
    return file + b"\xff\xd9"


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
SAMPLINGS = {
    "grey": [(1, 1)],
    "grey22": [(2, 2)],
    "444": [(1, 1)] * 3,
    "422": [(2, 1), (1, 1), (1, 1)],
    "440": [(1, 2), (1, 1), (1, 1)],
    "420": [(2, 2), (1, 1), (1, 1)],
    "411": [(4, 1), (1, 1), (1, 1)],
    "fine-chroma": [(1, 1), (2, 2), (2, 2)],
    "mixed": [(2, 2), (2, 1), (1, 2)],
    "two": [(1, 1), (1, 1)],
}


def jpegs():
    """Any sampling in any scans; what tells colours; data that end early, and bytes of no meaning."""
    for (name, factors), (width, height) in itertools.product(SAMPLINGS.items(), [(45, 37), (16, 16), (3, 50)]):
        parts = [(index + 1, h, v) for index, (h, v) in enumerate(factors)]
        orders = {"together": [list(range(len(parts)))], "each": [[index] for index in range(len(parts))]}
        if len(parts) == 3:
            orders["luma-first"] = [[0], [1, 2]]
        for order, scans in orders.items():
            yield f"handmade-{name}-{order}-{width}x{height}.jpg", jpeg(width, height, parts, scans), None
    adobe = {transform: segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes([transform])) for transform in (0, 1)}
    segments = {"none": b"", "jfif": JFIF, "adobe0": adobe[0], "adobe1": adobe[1], "both": JFIF + adobe[0]}
    for (name, before), ids in itertools.product(segments.items(), (b"\1\2\3", b"RGB", b"\0\1\2")):
        parts = [(identifier, 1, 1) for identifier in ids]
        yield f"handmade-{name}-{ids.hex()}.jpg", jpeg(30, 20, parts, [[0, 1, 2]], before), None
    parts = [(1, 2, 2), (2, 1, 1), (3, 1, 1)]
    whole = jpeg(320, 40, parts, [[0, 1, 2]], JFIF)
    for count in (1, 2, 4):
        stray = bytes([0x5A] * count)
        yield f"handmade-stray-{count}-behind.jpg", whole[:-2] + stray + whole[-2:], None
        yield f"handmade-stray-{count}-before.jpg", whole.replace(b"\xff\xc0", stray + b"\xff\xc0"), None
    yield "handmade-fill-behind.jpg", whole[:-2] + bytes(9) + b"\xff" * 9 + whole[-2:], None
    yield "handmade-cut-but-closed.jpg", whole[:-400] + whole[-2:], None
    yield "handmade-lacks-a-scan.jpg", jpeg(45, 37, parts, [[0], [1]]), None
    yield "handmade-two-pictures.jpg", whole + whole, None

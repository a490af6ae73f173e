"""Compares opening, labels and region measurements with OpenCV and scikit-image on real images.

    cargo build --release --example postprocess
    python compare.py path/to/target/release/examples/postprocess IMAGE...

The score map of an image is its absolute difference from a Gaussian blur: real texture, no ties of 8-bit values.
Needs numpy, opencv-python and scikit-image >= 0.26.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from skimage.measure import label, regionprops
from skimage.morphology import opening


def disk(d):
    half = 2 * np.arange(d) - (d - 1)
    return (half[:, None] ** 2 + half[None, :] ** 2 <= d * d).astype(np.uint8)


def opencv(scores, d):
    kernel = disk(d)
    if d % 2:
        return cv2.morphologyEx(scores, cv2.MORPH_OPEN, kernel)
    # morphologyEx dilates with the kernel as it is, which shifts by a pixel if the kernel is even.
    eroded = cv2.erode(scores, kernel, anchor=(d // 2, d // 2))
    return cv2.dilate(eroded, kernel, anchor=(d // 2 - 1, d // 2 - 1))


def difference(a, b, margin=0):
    inner = np.s_[margin:a.shape[0] - margin, margin:a.shape[1] - margin]
    return float(np.abs(a[inner] - b[inner]).max())


def compare(program, path, d, folder):
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    scores = np.abs(image - cv2.GaussianBlur(image, (0, 0), 4))
    height, width = scores.shape
    threshold = np.float32(np.quantile(opencv(scores, d), 0.97))
    scores.astype("<f4").tofile(folder / "scores.f32")
    arguments = [folder / "scores.f32", width, height, d, f"{threshold:.9g}", folder]
    subprocess.run([program, *map(str, arguments)], check=True)
    opened = np.fromfile(folder / "opened.f32", "<f4").reshape(height, width)
    labels = np.fromfile(folder / "labels.u32", "<u4").reshape(height, width)
    table = np.loadtxt(folder / "regions.txt", ndmin=2)

    expected = label(opened >= threshold, connectivity=2)
    rows = [
        (r.label, r.area, r.bbox[1], r.bbox[0], r.bbox[3], r.bbox[2], r.centroid[1], r.centroid[0],
         r.intensity_mean, r.intensity_max)
        for r in regionprops(expected, intensity_image=opened.astype(np.float64))
    ]
    print(f"{path.name} {width}x{height} d={d}: opened |difference| OpenCV {difference(opened, opencv(scores, d))}, "
          f"scikit-image {difference(opened, opening(scores, disk(d), mode='ignore'))} "
          f"(away from the border {difference(opened, opening(scores, disk(d), mode='ignore'), d)}); "
          f"regions {len(table)}/{len(rows)}, labels equal {np.array_equal(labels, expected)}, "
          f"measurements |difference| {np.abs(table - np.array(rows)).max():.1e}")


def main():
    program, *paths = sys.argv[1:]
    for path in paths:
        for d in (2, 3, 4, 5, 8, 15):
            with tempfile.TemporaryDirectory() as folder:
                compare(program, Path(path), d, Path(folder))


if __name__ == "__main__":
    main()

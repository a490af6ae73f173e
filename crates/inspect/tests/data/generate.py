"""Writes the fixtures beside this script: python generate.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, opencv-python 5.0.0, scikit-image 0.26.0.

scores.txt        a score map of 40 columns and 30 rows, smoothed noise in whole numbers 0..99 with flat areas and
                  values on all four borders
opened_<d>.txt    its opening with the disk of diameter d: cv2.erode, then cv2.dilate with the reflected disk.
                  (cv2.morphologyEx(MORPH_OPEN) does not reflect; it is the same for odd d only.)
labels.txt        skimage.measure.label(scores >= 55, connectivity=2)
labels_4.txt      the same with connectivity=1
smoothed_<s>.txt  scipy.ndimage.gaussian_filter(scores, s, mode="reflect", truncate=8), six decimals
regions.txt       skimage.measure.regionprops of labels.txt: label area x0 y0 x1 y1 cx cy mean max
"""
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops

HERE = Path(__file__).parent


def disk(d):
    half = 2 * np.arange(d) - (d - 1)
    return (half[:, None] ** 2 + half[None, :] ** 2 <= d * d).astype(np.uint8)


def opening(image, d):
    # The anchor of the erosion is OpenCV's default, d // 2; the reflected disk has it at d - 1 - d // 2.
    kernel, anchor = disk(d), (d // 2, d // 2)
    mirrored = (d - 1 - d // 2,) * 2
    eroded = cv2.erode(image, kernel, anchor=anchor)
    return cv2.dilate(eroded, kernel[::-1, ::-1], anchor=mirrored)


def main():
    noise = np.random.default_rng(7).normal(size=(30, 40))
    smooth = gaussian_filter(noise, 1.0) + gaussian_filter(noise, 0.4) / 3
    scores = np.clip(np.rint(50 + 60 * smooth / smooth.std() / 2.5), 0, 99).astype(np.float32)
    np.savetxt(HERE / "scores.txt", scores, "%d")
    for d in (2, 3, 4, 5, 6, 9):
        np.savetxt(HERE / f"opened_{d}.txt", opening(scores, d), "%d")
    for sigma in (0.5, 1.5, 4, 12, 40):
        smoothed = gaussian_filter(scores.astype(np.float64), sigma, mode="reflect", truncate=8)
        np.savetxt(HERE / f"smoothed_{sigma}.txt", smoothed, "%.6f")
    labels = label(scores >= 55, connectivity=2)
    np.savetxt(HERE / "labels.txt", labels, "%d")
    np.savetxt(HERE / "labels_4.txt", label(scores >= 55, connectivity=1), "%d")
    with open(HERE / "regions.txt", "w") as out:
        for r in regionprops(labels, intensity_image=scores.astype(np.float64)):
            y0, x0, y1, x1 = r.bbox
            cy, cx = r.centroid
            print(r.label, int(r.area), x0, y0, x1, y1, repr(float(cx)), repr(float(cy)),
                  repr(float(r.intensity_mean)), int(r.intensity_max), file=out)


if __name__ == "__main__":
    main()

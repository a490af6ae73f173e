"""Inspects an image with an exported network, as `bench-cli predict` does: ONNX Runtime, NumPy, OpenCV.

Usage: inspect_onnx.py MODEL IMAGE MAP.tiff

MODEL is the folder of a model by the methods `ssim`, `l2` or `feature-matching`, after `bench-cli export MODEL`, without margins
and scaling of images. Writes the anomaly map, and says whether a pixel reaches the threshold.
"""

import json
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime


def read_grey(path):
    """Intensities in [0, 1]."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    return image.astype(np.float32) / np.iinfo(image.dtype).max


def positions(length, patch, stride):
    """The last patch is flush with the border."""
    last = length - patch
    return [*range(0, last, stride), last]


def reconstruct(session, image, patch, stride, batch):
    """The mean of all patches that cover a pixel."""
    height, width = image.shape
    corners = [(y, x) for y in positions(height, patch, stride) for x in positions(width, patch, stride)]
    total, count = np.zeros_like(image), np.zeros_like(image)
    for start in range(0, len(corners), batch):
        some = corners[start : start + batch]
        patches = np.stack([image[None, y : y + patch, x : x + patch] for y, x in some])
        (reconstructions,) = session.run(["reconstructions"], {"patches": patches})
        for (y, x), reconstruction in zip(some, reconstructions[:, 0]):
            total[y : y + patch, x : x + patch] += reconstruction
            count[y : y + patch, x : x + patch] += 1
    return total / count


def smoother(window):
    """What takes means over windows; beyond the border, pixels are mirrored and those at the edge repeated."""
    kind, *numbers = window.split(":")
    size = int(numbers[0])
    if kind == "uniform":
        return lambda plane: cv2.boxFilter(plane, -1, (size, size), borderType=cv2.BORDER_REFLECT)
    sigma = float(numbers[1])
    return lambda plane: cv2.GaussianBlur(plane, (size, size), sigma, borderType=cv2.BORDER_REFLECT)


def constants(name):
    named = {"squared": (0.01**2, 0.03**2), "paper": (0.01, 0.03)}
    return named.get(name) or tuple(map(float, name.split(",")))


def ssim_map(x, y, config):
    """The product of luminance, contrast and structure, all to the power of 1."""
    mean = smoother(config["window"])
    c1, c2 = constants(config["constants"])
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance * (2 * covariance + c2) / (variances + c2)


def opened(residual, diameter):
    """By a disk; one of an even diameter needs another anchor for the dilation, to leave no shift."""
    if diameter < 2:
        return residual
    offsets = np.arange(diameter) - (diameter - 1) / 2
    disk = (offsets[:, None] ** 2 + offsets**2 <= diameter**2 / 4).astype(np.uint8)
    there, back = diameter // 2, (diameter - 1) // 2
    return cv2.dilate(cv2.erode(residual, disk, anchor=(there, there)), disk, anchor=(back, back))


def anomaly_map(model, image):
    config = tomllib.loads((model / "config.toml").read_text())
    inspection = config["inspection"]
    if inspection["averaging"] != "reconstruction" or "size" in config["data"] or config["method"] == "vae":
        sys.exit("expected a model that averages reconstructions, and neither scales images nor draws samples")
    session = onnxruntime.InferenceSession(model / "model.onnx", providers=["CPUExecutionProvider"])
    patch, stride, batch = config["model"]["patch_size"], inspection["stride"], inspection["batch_size"]
    reconstruction = reconstruct(session, image, patch, stride, batch)
    if config["method"] == "ssim":
        residual = 1 - ssim_map(image, reconstruction, config["ssim"])
    else:
        residual = (image - reconstruction) ** 2
    return opened(residual.astype(np.float32), inspection["opening_diameter"])


def main():
    model, image, out = map(Path, sys.argv[1:])
    scores = anomaly_map(model, read_grey(image))
    cv2.imwrite(str(out), scores)
    threshold = json.loads((model / "calibration.json").read_text())["threshold"]
    print("defective" if (scores >= threshold).any() else "good", f"score {scores.max():.4f}")


if __name__ == "__main__":
    main()

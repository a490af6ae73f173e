"""The inspection of an image: PyTorch, stitching in NumPy, opening in OpenCV."""

import time

import cv2
import numpy as np
import torch

from common import Checks, arguments, exchanged, report, timed
from network import autoencoder, ssim_map, use

PATCH, STRIDE = 128, 30
# The fastest of these is timed: PyTorch takes longer per patch where activations leave the cache.
BATCHES = (8, 16, 32, 64)
# A circle of diameter 4. With an even side, erosion and dilation need different anchors to leave no shift.
DISK = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 0]], np.uint8)

args = arguments()
use(args.threads)
cv2.setNumThreads(args.threads)
inputs, outputs = exchanged(args.exchange)
model = autoencoder(inputs, torch.channels_last)
image = inputs["image"]


def positions(length):
    last = length - PATCH
    return [*range(0, last, STRIDE), last]


def reconstruct(image, batch_size):
    corners = [(y, x) for y in positions(image.shape[0]) for x in positions(image.shape[1])]
    total, count = np.zeros_like(image), np.zeros_like(image)
    for start in range(0, len(corners), batch_size):
        batch = corners[start : start + batch_size]
        patches = np.stack([image[y : y + PATCH, x : x + PATCH] for y, x in batch])
        reconstructions = model(torch.from_numpy(patches[:, None])).numpy()
        for (y, x), reconstruction in zip(batch, reconstructions[:, 0]):
            total[y : y + PATCH, x : x + PATCH] += reconstruction
            count[y : y + PATCH, x : x + PATCH] += 1
    return total / count


def residual_map(image, reconstruction):
    # NumPy's "symmetric" repeats the edge pixel.
    padded = [np.pad(plane, args.window // 2, "symmetric")[None, None] for plane in (image, reconstruction)]
    x, y = map(torch.from_numpy, padded)
    return 1 - ssim_map(x, y, args.window)[0, 0].numpy()


@torch.inference_mode()
def inspect(batch_size):
    reconstruction = reconstruct(image, batch_size)
    residual = residual_map(image, reconstruction)
    anomaly_map = cv2.dilate(cv2.erode(residual, DISK, anchor=(2, 2)), DISK, anchor=(1, 1))
    return reconstruction, residual, anomaly_map


def seconds(batch_size):
    inspect(batch_size)
    start = time.perf_counter()
    inspect(batch_size)
    return time.perf_counter() - start


fastest = min(BATCHES, key=seconds)
timing = timed(lambda: inspect(fastest), args.seconds)
checks = Checks()
for name, theirs in zip(("reconstruction", "residual", "anomaly_map"), inspect(fastest)):
    checks.equal(name, theirs, outputs[name], 1e-5)
report(timing, checks, "torch", "opencv-python-headless")

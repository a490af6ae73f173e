"""The SSIM map by OpenCV's box filters: four of them, and everything else in place."""

import cv2
import numpy as np

from common import C1, C2, Checks, arguments, exchanged, report, timed

args = arguments()
cv2.setNumThreads(args.threads)
inputs, outputs = exchanged(args.exchange)
x, y = inputs["x"], inputs["y"]
mean_x, mean_y, product, square, both, squares = (np.empty_like(x) for _ in range(6))


def box(source, target):
    # OpenCV's BORDER_REFLECT repeats the edge pixel.
    cv2.blur(source, (args.window, args.window), dst=target, borderType=cv2.BORDER_REFLECT)


def ssim_map():
    box(x, mean_x)
    box(y, mean_y)
    cv2.multiply(x, y, dst=both)
    box(both, product)
    # Of the variances only the sum is needed.
    cv2.multiply(x, x, dst=squares)
    cv2.accumulateSquare(y, squares)
    box(squares, square)
    cv2.multiply(mean_x, mean_y, dst=both)
    cv2.multiply(mean_x, mean_x, dst=squares)
    cv2.accumulateSquare(mean_y, squares)
    # 2 cov + c2, then times 2 mean_x mean_y + c1.
    cv2.addWeighted(product, 2, both, -2, C2, dst=product)
    cv2.addWeighted(both, 2, both, 0, C1, dst=both)
    cv2.multiply(product, both, dst=product)
    cv2.addWeighted(square, 1, squares, -1, C2, dst=square)
    np.add(squares, np.float32(C1), out=squares)
    cv2.multiply(square, squares, dst=square)
    return cv2.divide(product, square, dst=product)


timing = timed(ssim_map, args.seconds)
checks = Checks()
checks.equal("map", ssim_map(), outputs["map"], 1e-4)
report(timing, checks, "opencv-python-headless")

"""The SSIM map by scikit-image."""

from skimage.metrics import structural_similarity

from common import Checks, arguments, exchanged, report, timed

args = arguments()
inputs, outputs = exchanged(args.exchange)
x, y = inputs["x"], inputs["y"]


def ssim_map():
    return structural_similarity(x, y, win_size=args.window, data_range=1.0, use_sample_covariance=False, full=True)[1]


timing = timed(ssim_map, args.seconds)
checks = Checks()
checks.equal("map", ssim_map(), outputs["map"], 1e-4)
report(timing, checks, "scikit-image", "scipy")

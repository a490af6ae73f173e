"""The SSIM loss of a batch with its gradient in PyTorch."""

import torch

from common import Checks, arguments, exchanged, report, timed
from network import means_by_convolutions, means_by_sums, ssim_map, use

MEANS = {"sums": means_by_sums, "convolutions": means_by_convolutions}

args = arguments(*MEANS, "pytorch-msssim")
use(args.threads)
inputs, outputs = exchanged(args.exchange)
x = torch.from_numpy(inputs["x"])
y = torch.from_numpy(inputs["y"]).requires_grad_()
packages = ["torch"]

if args.variant in MEANS:

    def loss_of(x, y):
        return 1 - ssim_map(x, y, args.window, MEANS[args.variant]).mean()

else:
    from pytorch_msssim import ssim

    packages.append("pytorch-msssim")
    window = torch.full((1, 1, 1, args.window), 1 / args.window)

    def loss_of(x, y):
        return 1 - ssim(x, y, data_range=1, win=window)


def step():
    y.grad = None
    loss = loss_of(x, y)
    loss.backward()
    return loss.item()


timing = timed(step, args.seconds)
checks = Checks()
checks.equal("loss", step(), outputs["loss"], 1e-5)
# Of each pixel, times the number of pixels: 1 is the scale of the loss.
checks.equal("gradient", y.grad.numpy() * y.numel(), outputs["gradient"] * y.numel(), 1e-3)
report(timing, checks, *packages)

"""Reconstructions of a batch in PyTorch."""

import torch

from common import Checks, arguments, exchanged, report, timed
from network import autoencoder, use

args = arguments()
use(args.threads)
inputs, outputs = exchanged(args.exchange)
model = autoencoder(inputs, torch.channels_last)
patches = torch.from_numpy(inputs["patches"])


@torch.inference_mode()
def forward():
    return model(patches)


timing = timed(forward, args.seconds)
checks = Checks()
checks.equal("reconstructions", forward().numpy(), outputs["reconstructions"], 1e-4)
report(timing, checks, "torch")

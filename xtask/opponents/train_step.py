"""A training step in PyTorch."""

import torch

from common import Checks, arguments, exchanged, report, timed
from network import autoencoder, ssim_map, use

FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}
# Adam divides gradients by their size, so that rounding decides the sign of the smallest: weights, and what comes after
# them, agree less than gradients do.
BEFORE, LOSS = 1e-4, 1e-4

args = arguments(*FORMATS)
use(args.threads)
inputs, outputs = exchanged(args.exchange)
memory_format = FORMATS[args.variant]


def start():
    model = autoencoder(inputs, memory_format)
    return model, torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-5, fused=True)


def step(model, optimiser, patches):
    reconstructions = model(patches)
    if args.method == "l2":
        loss = torch.nn.functional.mse_loss(reconstructions, patches)
    else:
        loss = 1 - ssim_map(reconstructions, patches, args.window).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


patches = torch.from_numpy(inputs["patches"])
batches = torch.from_numpy(inputs["batches"]).split(len(patches))
model, optimiser = start()
timing = timed(lambda: step(model, optimiser, patches), args.seconds)

checks = Checks()
model, optimiser = start()
with torch.inference_mode():
    checks.equal("reconstructions", model(patches).numpy(), outputs["reconstructions"], BEFORE)
losses = [step(model, optimiser, batch) for batch in batches]
checks.equal(f"losses of {len(losses)} steps", losses, outputs["losses"], LOSS)
report(timing, checks, "torch")

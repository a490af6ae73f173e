"""A training step in PyTorch."""

import torch

from common import Checks, arguments, exchanged, report, timed
from extractors import extractor
from network import autoencoder, ssim_map, use

FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}
# The ELBO's variance of a pixel, which makes its first term the sum of squares, and the limit of log-variances.
VARIANCE, MAX_LOG_VARIANCE = 0.5, 20
# Adam divides gradients by their size, so that rounding decides the sign of the smallest: weights, and what comes after
# them, agree less than gradients do.
BEFORE, LOSS = 1e-4, 1e-4
# Features make losses steeper: after three steps, those of PyTorch in its two memory formats and in float64 differ by up to 5e-4.
FEATURE_LOSS = 2e-3

args = arguments(*FORMATS)
use(args.threads)
inputs, outputs = exchanged(args.exchange)
memory_format = FORMATS[args.variant]


features = extractor(args.extractor, inputs, memory_format) if args.method == "feature-matching" else None


def start():
    model = autoencoder(inputs, memory_format)
    return model, torch.optim.Adam(model.parameters(), lr=2e-4, weight_decay=1e-5, fused=True)


def reconstruct(model, patches, noise):
    """Reconstructions, and mean and log-variance if the latent vectors are drawn."""
    codes = model.encoder(patches)
    if noise is None:
        return model.decoder(codes), None
    mean, log_variance = codes.chunk(2, dim=1)
    log_variance = log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE)
    return model.decoder(mean + (log_variance / 2).exp() * noise), (mean, log_variance)


def loss_of(reconstructions, patches, posterior):
    if args.method == "ssim":
        return 1 - ssim_map(reconstructions, patches, args.window).mean()
    squares = torch.nn.functional.mse_loss(reconstructions, patches)
    if args.method == "vae":
        mean, log_variance = posterior
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum() / 2
        return squares / (2 * VARIANCE) + divergence / patches.numel()
    if args.method == "feature-matching":
        with torch.no_grad():
            wanted = features(patches)
        return squares + (features(reconstructions) - wanted).square().sum() / patches.numel()
    return squares


def step(model, optimiser, patches, noise):
    reconstructions, posterior = reconstruct(model, patches, noise)
    loss = loss_of(reconstructions, patches, posterior)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


patches = torch.from_numpy(inputs["patches"])
batches = torch.from_numpy(inputs["batches"]).split(len(patches))
noises = [None] * len(batches)
if args.method == "vae":
    noises = torch.from_numpy(inputs["noise"])[..., None, None].split(len(patches))
model, optimiser = start()
timing = timed(lambda: step(model, optimiser, patches, noises[0]), args.seconds)

checks = Checks()
model, optimiser = start()
with torch.inference_mode():
    codes = model.encoder(patches)
    # Of a distribution, the mean.
    codes = codes.chunk(2, dim=1)[0] if args.method == "vae" else codes
    checks.equal("reconstructions", model.decoder(codes).numpy(), outputs["reconstructions"], BEFORE)
    if features:
        # Relative to the largest activation.
        theirs, ours = features(patches).permute(0, 2, 3, 1).numpy(), outputs["features"]
        checks.equal("features", theirs / abs(ours).max(), ours / abs(ours).max(), BEFORE)
losses = [step(model, optimiser, *data) for data in zip(batches, noises)]
# Relative to the first, since those of features depend on the weights.
ours = outputs["losses"]
tolerance = FEATURE_LOSS if features else LOSS
checks.equal(f"losses of {len(losses)} steps", losses / ours[0], ours / ours[0], tolerance)
report(timing, checks, "torch")

"""A training step in PyTorch."""

import torch

from common import Checks, arguments, exchanged, report, timed
from extractors import extractor
from network import autoencoder, ssim_map, use, use_gpu

FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}
# How forward pass, loss and their gradients are compiled.
MODES = {"compiled": "default", "graphs": "reduce-overhead"}
# A GPU is given so many steps at a time, as bench-cli does it.
STEPS_AT_ONCE = 50
# The ELBO's variance of a pixel, which makes its first term the sum of squares, and the limit of log-variances.
VARIANCE, MAX_LOG_VARIANCE = 0.5, 20
# Adam divides gradients by their size, so that rounding decides the sign of the smallest: weights, and what comes after
# them, agree less than gradients do.
BEFORE, LOSS = 1e-4, 1e-4
# Features make losses steeper: after three steps, those of PyTorch in its two memory formats and in float64 differ by up to 5e-4.
FEATURE_LOSS = 2e-3
# Factors of 11 bits are rounded by up to 2^-12 of their size, by either side in another order of sums.
SHORTER = 3e-2

args = arguments(*FORMATS, *MODES)
use(args.threads)
use_gpu(args.precision)
is_gpu = args.device == "cuda"
inputs, outputs = exchanged(args.exchange)
memory_format = FORMATS.get(args.variant, torch.channels_last)


features = None
if args.method == "feature-matching":
    features = extractor(args.extractor, inputs, memory_format).to(args.device)


def start():
    model = autoencoder(inputs, memory_format).to(args.device)
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


def batch_loss(model, patches, noise):
    reconstructions, posterior = reconstruct(model, patches, noise)
    return loss_of(reconstructions, patches, posterior)


if args.variant in MODES:
    batch_loss = torch.compile(batch_loss, mode=MODES[args.variant])


def step(model, optimiser, patches, noise):
    loss = batch_loss(model, patches, noise)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss


def some_steps():
    """The loss is read at once where that costs nothing."""
    if not is_gpu:
        return step(model, optimiser, patches, noises[0]).item()
    for _ in range(STEPS_AT_ONCE):
        step(model, optimiser, patches, noises[0])
    torch.cuda.synchronize()


patches = torch.from_numpy(inputs["patches"]).to(args.device)
batches = torch.from_numpy(inputs["batches"]).to(args.device).split(len(patches))
noises = [None] * len(batches)
if args.method == "vae":
    noises = torch.from_numpy(inputs["noise"]).to(args.device)[..., None, None].split(len(patches))
model, optimiser = start()
timing = timed(some_steps, args.seconds, STEPS_AT_ONCE if is_gpu else 1)

checks = Checks()
model, optimiser = start()
with torch.inference_mode():
    codes = model.encoder(patches)
    # Of a distribution, the mean.
    codes = codes.chunk(2, dim=1)[0] if args.method == "vae" else codes
    before = SHORTER if args.precision == "tf32" else BEFORE
    checks.equal("reconstructions", model.decoder(codes).cpu().numpy(), outputs["reconstructions"], before)
    if features:
        # Relative to the largest activation.
        theirs, ours = features(patches).permute(0, 2, 3, 1).cpu().numpy(), outputs["features"]
        checks.equal("features", theirs / abs(ours).max(), ours / abs(ours).max(), before)
losses = [step(model, optimiser, *data).item() for data in zip(batches, noises)]
# Relative to the first, since those of features depend on the weights.
ours = outputs["losses"]
tolerance = FEATURE_LOSS if features else LOSS
tolerance = SHORTER if args.precision == "tf32" else tolerance
checks.equal(f"losses of {len(losses)} steps", losses / ours[0], ours / ours[0], tolerance)
report(timing, checks, "torch")

"""The network of Table 1 and the structural similarity in PyTorch."""

import torch
import torch.nn.functional as F
from torch import nn

from common import C1, C2

SLOPE = 0.2
# Output channels, kernel, stride, padding.
LAYERS = [
    (32, 4, 2, 1),
    (32, 4, 2, 1),
    (32, 3, 1, 1),
    (64, 4, 2, 1),
    (64, 3, 1, 1),
    (128, 4, 2, 1),
    (64, 3, 1, 1),
    (32, 3, 1, 1),
]
CODE_SIZE = 8


def autoencoder(inputs, memory_format):
    """The network with our weights."""
    layers = [*LAYERS, (inputs["decoder.0.weight"].shape[0], CODE_SIZE, 1, 0)]
    sizes = [1, *(out for out, *_ in layers)]
    encoder = [nn.Conv2d(sizes[i], sizes[i + 1], *layer[1:]) for i, layer in enumerate(layers)]
    decoder = [nn.ConvTranspose2d(sizes[i + 1], sizes[i], *layer[1:]) for i, layer in enumerate(layers)]
    # Of a distribution it tells mean and log-variance.
    encoder[-1] = nn.Conv2d(sizes[-2], inputs["encoder.16.weight"].shape[0], *layers[-1][1:])
    model = nn.Sequential()
    model.add_module("encoder", activated(encoder))
    model.add_module("decoder", activated(decoder[::-1]))
    names = ("encoder.", "decoder.")
    weights = {name: torch.from_numpy(values) for name, values in inputs.items() if name.startswith(names)}
    model.load_state_dict(weights)
    return model.to(memory_format=memory_format)


def activated(layers):
    """Leaky rectifiers between the layers."""
    modules = [module for layer in layers for module in (layer, nn.LeakyReLU(SLOPE, inplace=True))]
    return nn.Sequential(*modules[:-1])


def means_by_sums(images, window):
    """Means over windows from differences of cumulative sums, one axis after the other.

    The fastest composition that was found, several times as fast as convolutions or pooling; along single rows the sums stay
    short enough for 32 bits.
    """
    sums = F.pad(images, (0, 0, 1, 0)).cumsum(2)
    rows = sums[..., window:, :] - sums[..., :-window, :]
    sums = F.pad(rows, (1, 0)).cumsum(3)
    return (sums[..., window:] - sums[..., :-window]) * (1 / window**2)


def means_by_convolutions(images, window):
    """Means over windows by a convolution along each axis."""
    kernel = images.new_full((1, 1, window, 1), 1 / window)
    return F.conv2d(F.conv2d(images, kernel), kernel.transpose(2, 3))


def ssim_map(x, y, window, means=means_by_sums):
    """The map over uniform windows inside the images (N, 1, H, W). Of the variances only the sum is needed."""
    mean_x, mean_y = means(x, window), means(y, window)
    square, product = means(x * x + y * y, window), means(x * y, window)
    both = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    return (2 * both + C1) * (2 * (product - both) + C2) / ((squares + C1) * (square - squares + C2))


def use(threads):
    """Computes on so many threads."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def use_gpu(precision):
    """Computes products in this precision. cuDNN's own choice for single precision would be TF32."""
    is_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = is_tf32
    torch.backends.cudnn.allow_tf32 = is_tf32
    torch.backends.cudnn.benchmark = True

"""Reference outputs of the network of Table 1, computed by PyTorch (2.15, CPU, float64).

    python pytorch.py > pytorch.txt

Weights and patches come from a linear congruential generator that `tests/it/pytorch.rs` repeats, so that the fixture holds
results only. Each line is `patch_size latent_dim kind index value`.
"""

import math

import torch
from torch import nn

TABLE_1 = [
    (32, 4, 2, 1),
    (32, 4, 2, 1),
    (32, 3, 1, 1),
    (64, 4, 2, 1),
    (64, 3, 1, 1),
    (128, 4, 2, 1),
    (64, 3, 1, 1),
    (32, 3, 1, 1),
]


class Autoencoder(nn.Module):
    def __init__(self, patch_size, latent_dim):
        super().__init__()
        table = TABLE_1[int(math.log2(128 // patch_size)) :] + [(latent_dim, 8, 1, 0)]
        channels = [1] + [out for out, *_ in table]
        encoder, decoder = [], []
        for i, (out, kernel, stride, padding) in enumerate(table):
            encoder += [nn.Conv2d(channels[i], out, kernel, stride, padding), nn.LeakyReLU(0.2)]
        for i, (out, kernel, stride, padding) in reversed(list(enumerate(table))):
            decoder += [nn.ConvTranspose2d(out, channels[i], kernel, stride, padding), nn.LeakyReLU(0.2)]
        # The last layers of both are linear.
        self.encoder = nn.Sequential(*encoder[:-1])
        self.decoder = nn.Sequential(*decoder[:-1])

    def forward(self, patches):
        return self.decoder(self.encoder(patches))


def noise(seed, count):
    """Multiples of 2^-23 in [-1, 1), exact in float32."""
    state = (2 * seed + 1) % 2**64
    values = []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state >> 40) / 2**23 - 1)
    return torch.tensor(values, dtype=torch.float64)


def fill(model):
    """Uniform weights that keep the size of activations, rounded to a power of two; small biases."""
    seed = 0
    for part in (model.encoder, model.decoder):
        for layer in part:
            if isinstance(layer, nn.LeakyReLU):
                continue
            fan_in = layer.in_channels * layer.kernel_size[0] ** 2
            if isinstance(layer, nn.ConvTranspose2d):
                fan_in //= layer.stride[0] ** 2
            scale = 2.0 ** round(math.log2(math.sqrt(6 / fan_in)))
            layer.weight.data = scale * noise(seed, layer.weight.numel()).reshape(layer.weight.shape)
            layer.bias.data = noise(seed + 1, layer.bias.numel()) / 8
            seed += 2


def main():
    for patch_size, latent_dim in [(128, 100), (32, 20)]:
        model = Autoencoder(patch_size, latent_dim)
        fill(model)
        patch = (noise(1000, patch_size**2) + 1) / 2
        with torch.no_grad():
            codes = model.encoder(patch.reshape(1, 1, patch_size, patch_size))
            pixels = model.decoder(codes)
        codes, pixels = codes.flatten(), pixels.flatten()
        # An odd stride meets all rows, columns and phases of the last layer's stride.
        step = patch_size * patch_size // 256 + 1 | 1
        for kind, values, indices in [
            ("code", codes, range(latent_dim)),
            ("pixel", pixels, range(0, pixels.numel(), step)),
        ]:
            for i in indices:
                print(patch_size, latent_dim, kind, i, f"{values[i]:.8f}")


if __name__ == "__main__":
    main()

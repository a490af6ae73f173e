"""Reference activations of the extractors, computed by PyTorch 2.15 and torchvision 0.29 (CPU, float64).

    python features.py > features.txt

Weights and patches come from a linear congruential generator that `tests/extractors` repeats, so that the fixture holds
results only. Each line is `extractor index value`, with indices into `(N, H, W, C)`.
"""

import math

import torch
from torchvision import models, transforms

from pytorch import noise

SIZE = 64


def fill(layers):
    """Uniform weights that keep the size of activations, rounded to a power of two; small biases."""
    for seed, (_, parameter) in enumerate(layers.named_parameters()):
        scale = 0.125
        if parameter.dim() == 4:
            scale = 2.0 ** round(math.log2(math.sqrt(6 / parameter[0].numel())))
        parameter.data = scale * noise(seed, parameter.numel()).reshape(parameter.shape)


def main():
    normalise = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    for name, layers in [
        ("alexnet", models.alexnet().features[:8]),
        ("squeezenet", models.squeezenet1_1().features[:7]),
    ]:
        layers = layers.double().eval()
        fill(layers)
        patch = (noise(1000, SIZE * SIZE) + 1) / 2
        colours = patch.reshape(1, 1, SIZE, SIZE).expand(1, 3, SIZE, SIZE)
        with torch.no_grad():
            features = layers(normalise(colours)).permute(0, 2, 3, 1).flatten()
        # An odd stride meets all channels and pixels.
        for i in range(0, features.numel(), features.numel() // 400 | 1):
            print(name, i, f"{features[i]:.7f}")


main()

"""Compares activations of the extractors with torchvision's on weights and patches that bench-cli has used.

    bench-cli bench train-step --method feature-matching --extractor squeezenet --features-weights FILE --runs 1 --exchange DIR
    python features.py --exchange DIR --extractor squeezenet

Needs torchvision beside the packages in requirements.txt. Prints the largest difference, and the largest activation.
"""

import argparse
from pathlib import Path

import torch
from safetensors.numpy import load_file
from torchvision import models, transforms

TOLERANCE = 1e-4

parser = argparse.ArgumentParser()
parser.add_argument("--exchange", type=Path, required=True, help="folder that bench-cli wrote")
parser.add_argument("--extractor", choices=["alexnet", "squeezenet"], required=True)
args = parser.parse_args()

inputs, outputs = (load_file(args.exchange / f"{name}.safetensors") for name in ("inputs", "outputs"))
layers = models.alexnet().features[:8] if args.extractor == "alexnet" else models.squeezenet1_1().features[:7]
prefix = "features."
weights = {name.removeprefix(prefix): torch.from_numpy(x) for name, x in inputs.items() if name.startswith(prefix)}
layers.load_state_dict(weights)
normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
patches = torch.from_numpy(inputs["patches"]).expand(-1, 3, -1, -1)
with torch.inference_mode():
    theirs = layers(normalise(patches)).permute(0, 2, 3, 1)
ours = torch.from_numpy(outputs["features"])
difference, largest = (theirs - ours).abs().max().item(), theirs.abs().max().item()
print(f"{args.extractor}: largest difference {difference:.2g} of activations up to {largest:.3g}")
assert difference <= TOLERANCE * max(1, largest)

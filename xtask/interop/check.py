"""Compares what other programs make of a model's files with what bench-cli makes of them.

Usage: check.py MODEL README [IMAGE RESULTS]

The example in README, which loads weights into PyTorch, is run on the weights of MODEL; the same patches go through
`model.onnx`. Given an image and the folder with what `bench-cli predict` made of it, the map is computed from `model.onnx` alone, and
the mask read from `coco.json` by COCO's own library. Prints the largest differences as JSON; ends with an error if one is too large.
"""

import contextlib
import json
import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import tifffile
import torch
from pycocotools.coco import COCO

import inspect_onnx

# What is asked of maps; sums of products in f32 in another order differ by far less.
TOLERANCE = 1e-4
PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "pycocotools", "safetensors", "tifffile", "torch")


def example(readme):
    """The Python in the README, run: what it defines."""
    blocks = re.findall(r"^```python\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
    (code,) = [block for block in blocks if "safetensors" in block]
    defined = {}
    exec(compile(code, readme.name, "exec"), defined)
    return defined["load"]


def coco_mask(path):
    """The pixels of all objects of the first image."""
    # It prints that it is loading.
    with contextlib.redirect_stdout(sys.stderr):
        coco = COCO(path)
    first = min(coco.imgs)
    objects = [coco.annToMask(annotation) for annotation in coco.loadAnns(coco.getAnnIds(first))]
    return np.logical_or.reduce(objects)


def differences(model, readme, image=None, results=None):
    config = tomllib.loads((model / "config.toml").read_text())["model"]
    size, latent_dim = config["patch_size"], config["latent_dim"]
    session = onnxruntime.InferenceSession(model / "model.onnx", providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    patches = rng.random((3, 1, size, size), np.float32)
    inputs = {"patches": patches}
    if len(session.get_inputs()) == 2:
        inputs["noise"] = rng.standard_normal((3, latent_dim), np.float32)
    (reconstructions,) = session.run(["reconstructions"], inputs)
    network = example(readme)(model / "model.safetensors")
    with torch.inference_mode():
        codes = network.encoder(torch.from_numpy(patches))
        if "noise" in inputs:
            mean, log_variance = codes.chunk(2, 1)
            noise = torch.from_numpy(inputs["noise"])[:, :, None, None]
            codes = mean + torch.exp(log_variance / 2) * noise
        expected = network.decoder(codes).numpy()
    yield "reconstructions: ONNX Runtime and PyTorch", reconstructions - expected
    if results is not None:
        ours = tifffile.imread(results / f"{image.stem}.tiff")
        theirs = inspect_onnx.anomaly_map(model, inspect_onnx.read_grey(image))
        yield "anomaly map: ONNX Runtime and bench-cli", theirs - ours
        mask = cv2.imread(str(results / f"{image.stem}_mask.png"), cv2.IMREAD_GRAYSCALE) == 255
        assert mask.any(), "expected defects"
        yield "mask: COCO's library and bench-cli", coco_mask(results / "coco.json") ^ mask


def main():
    found = {what: float(np.abs(d).max()) for what, d in differences(*map(Path, sys.argv[1:]))}
    for what, difference in found.items():
        if not difference <= TOLERANCE:
            sys.exit(f"{what} differ by {difference:.3g}, expected at most {TOLERANCE:g}")
    print(json.dumps({"differences": found, "versions": {name: version(name) for name in PACKAGES}}))


if __name__ == "__main__":
    main()

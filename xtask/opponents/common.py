"""What all opponents share: arguments, timing, the comparison with our results, the report."""

import argparse
import importlib.metadata
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

# As bench-cli does it.
WARM_UP = 0.2
WARM_UP_RUNS = 1
FEWEST_RUNS = 3

# Of the structural similarity, for intensities in [0, 1].
C1, C2 = 0.01**2, 0.03**2


def arguments(*variants):
    """The command line; `variants` are the names of ways to compute the same."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exchange", type=Path, required=True, help="folder that bench-cli wrote")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--window", type=int, default=11, help="side of the uniform SSIM window")
    parser.add_argument("--method", choices=["l2", "ssim", "vae", "feature-matching"], default="ssim")
    parser.add_argument("--extractor", choices=["alexnet", "squeezenet"], default="alexnet")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["f32", "tf32"], default="f32", help="of products on a GPU")
    parser.add_argument("--variant", choices=variants or None, default=variants[0] if variants else None)
    return parser.parse_args()


def exchanged(folder):
    """Inputs and our outputs as dictionaries of arrays."""
    return tuple(load_file(folder / f"{name}.safetensors") for name in ("inputs", "outputs"))


def timed(work, seconds, parts=1):
    """Wall-clock times of each of the equal parts of `work()` in milliseconds, without the warm-up."""

    def run():
        start = time.perf_counter()
        result = work()
        elapsed = time.perf_counter() - start
        del result
        return elapsed

    start, runs = time.perf_counter(), 0
    while runs < WARM_UP_RUNS or time.perf_counter() - start < WARM_UP:
        run()
        runs += 1
    start, times = time.perf_counter(), []
    while len(times) < FEWEST_RUNS or time.perf_counter() - start < seconds:
        times.append(run())
    return {
        "median_ms": 1e3 * statistics.median(times) / parts,
        "min_ms": 1e3 * min(times) / parts,
        "runs": len(times),
        "peak_rss_mb": peak_rss_mb(),
    }


def peak_rss_mb():
    """The largest resident set so far in 10^6 bytes, or None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peaks[0]) * 1024 / 1e6 if peaks else None


class Checks:
    """Comparisons with our results."""

    def __init__(self):
        self.differences = []

    def equal(self, name, theirs, ours, tolerance):
        """No value may differ by more than `tolerance`."""
        theirs, ours = np.asarray(theirs, np.float64), np.asarray(ours, np.float64)
        if theirs.shape != ours.shape:
            sys.exit(f"{name}: of shape {theirs.shape}, ours {ours.shape}")
        difference = float(np.abs(theirs - ours).max())
        if not difference <= tolerance:
            sys.exit(f"{name}: differs from ours by {difference:.3g}, expected at most {tolerance:g}")
        self.differences.append({"what": name, "difference": difference, "tolerance": tolerance})


def report(timing, checks, *packages):
    """Prints what xtask reads."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", *packages)}
    python = ".".join(map(str, sys.version_info[:3]))
    report = {**timing, "checks": checks.differences, "versions": {"python": python, **versions}}
    print(json.dumps(report))

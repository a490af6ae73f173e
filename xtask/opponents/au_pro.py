"""The PRO curve and its area up to 0.3, by the algorithm of MVTec's evaluation in NumPy and SciPy.

All scores are sorted once. In descending order each pixel adds to the false-positive rate if it is defect-free, and to the
overlap of its region if not; of equal scores only the last point counts.
"""

import numpy as np
from scipy.ndimage import label

from common import Checks, arguments, exchanged, report, timed

LIMIT = 0.3
EIGHT_CONNECTED = np.ones((3, 3), int)

args = arguments()
inputs, outputs = exchanged(args.exchange)
masks, scores = inputs["labels"].astype(bool), inputs["scores"]


def curve():
    overlap_changes = np.zeros(masks.shape)
    regions = 0
    for mask, changes in zip(masks, overlap_changes):
        components, count = label(mask, EIGHT_CONNECTED)
        sizes = np.bincount(components.ravel())
        changes[mask] = 1 / sizes[components[mask]]
        regions += count
    flat = scores.ravel()
    order = np.argsort(flat)[::-1]
    ranked = flat[order]
    fpr = np.cumsum(~masks.ravel()[order], dtype=np.uint32) / np.count_nonzero(~masks)
    pro = np.cumsum(overlap_changes.ravel()[order]) / regions
    last_of_ties = np.append(ranked[1:] != ranked[:-1], True)
    fpr, pro = fpr[last_of_ties], np.minimum(pro[last_of_ties], 1)
    return np.concatenate([[0], fpr]), np.concatenate([[0], pro])


def area_to_limit(fpr, pro):
    inside = np.searchsorted(fpr, LIMIT, "right")
    at_limit = np.interp(LIMIT, fpr, pro)
    x, y = np.append(fpr[:inside], LIMIT), np.append(pro[:inside], at_limit)
    return np.trapezoid(y, x) / LIMIT


def au_pro():
    fpr, pro = curve()
    return fpr, pro, area_to_limit(fpr, pro)


timing = timed(au_pro, args.seconds)
checks = Checks()
fpr, pro, area = au_pro()
checks.equal("area", area, outputs["area"], 1e-9)
checks.equal("curve", np.interp(inputs["rates"], fpr, pro), outputs["heights"], 1e-9)
report(timing, checks, "scipy")

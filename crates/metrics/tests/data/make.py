"""Writes the fixtures beside this file.

Made by `python make.py` with Python 3.11, numpy 2.4.6, scipy 1.17.1 and
scikit-learn 1.9.1.
Each fixture is a list of lines `name: value value ...`; floats are written so
that they read back exactly.
"""

from pathlib import Path

import numpy as np
from scipy.ndimage import label
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

HERE = Path(__file__).parent


def write(name, fields):
    lines = []
    for key, values in fields.items():
        texts = [repr(v) for v in np.atleast_1d(np.asarray(values)).tolist()]
        lines.append(f"{key}: {' '.join(texts)}\n")
    (HERE / name).write_text("".join(lines))


def rankings():
    """Scores with many ties: two decimals, both signs."""
    rng = np.random.default_rng(7)
    labels = (rng.random(300) < 0.2).astype(int)
    scores = np.round(rng.normal(size=300) * 0.4 + 0.5 * labels, 2).astype(np.float32)
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, pr_thresholds = precision_recall_curve(labels, scores)
    f1 = [f1_score(labels, scores >= t) for t in pr_thresholds]
    best = max(range(len(f1)), key=lambda i: (f1[i], pr_thresholds[i]))
    fpr_drop, tpr_drop, _ = roc_curve(labels, scores, drop_intermediate=True)
    write(
        "sklearn.txt",
        {
            "scores": scores.astype(float),
            "labels": labels,
            "fpr": fpr,
            "tpr": tpr,
            "thresholds": thresholds.astype(float)[1:],
            "fpr_drop": fpr_drop,
            "tpr_drop": tpr_drop,
            "precision": precision,
            "recall": recall,
            "roc_auc": roc_auc_score(labels, scores),
            "average_precision": average_precision_score(labels, scores),
            "f1_max": f1[best],
            "f1_threshold": float(pr_thresholds[best]),
        },
    )


def naive_pro(maps, masks):
    """The definition, one threshold at a time: O(pixels * thresholds)."""
    regions, good = [], []
    for scores, mask in zip(maps, masks):
        numbers, count = label(mask, structure=np.ones((3, 3), dtype=int))
        regions += [scores[numbers == k + 1] for k in range(count)]
        good.append(scores[numbers == 0])
    good = np.concatenate(good)
    fpr, pro = [0.0], [0.0]
    for threshold in np.unique(np.concatenate([m.ravel() for m in maps]))[::-1]:
        fpr.append(np.mean(good >= threshold))
        pro.append(np.mean([np.mean(r >= threshold) for r in regions]))
    return np.array(fpr), np.array(pro)


def area(fpr, pro, limit):
    """Trapezoids up to the limit, interpolated there, over the limit."""
    inside = fpr <= limit
    x, y = fpr[inside], pro[inside]
    if x[-1] < limit:
        after = len(x)
        slope = (pro[after] - y[-1]) / (fpr[after] - x[-1])
        y = np.append(y, y[-1] + slope * (limit - x[-1]))
        x = np.append(x, limit)
    return np.trapezoid(y, x) / limit


def overlaps():
    """Two images with regions of all sizes, one of them touching at corners
    only, and one image without defects; scores with ties."""
    rng = np.random.default_rng(11)
    height, width = 18, 23
    masks = np.zeros((3, height, width), dtype=int)
    masks[0, 2:5, 3:9] = 1
    masks[0, 5, 9] = 1  # touches the rectangle at a corner
    masks[0, 12, 20] = 1
    masks[1, :, 0] = 1
    masks[1, 10:17, 8:22] = 1
    maps = np.round(rng.normal(size=masks.shape) * 0.3 + 0.4 * masks, 2).astype(np.float32)
    fpr, pro = naive_pro(maps, masks)
    write(
        "pro.txt",
        {
            "size": [width, height],
            "scores": maps.ravel().astype(float),
            "labels": masks.ravel(),
            "fpr": fpr,
            "pro": pro,
            "limits": [0.05, 0.3, 1.0],
            "areas": [area(fpr, pro, limit) for limit in (0.05, 0.3, 1.0)],
        },
    )


if __name__ == "__main__":
    rankings()
    overlaps()

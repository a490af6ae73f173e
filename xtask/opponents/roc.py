"""The ROC curve of all pixels and its area by scikit-learn."""

import numpy as np
from sklearn.metrics import auc, roc_curve

from common import Checks, arguments, exchanged, report, timed

args = arguments()
inputs, outputs = exchanged(args.exchange)
labels, scores = inputs["labels"].ravel().astype(bool), inputs["scores"].ravel()


def roc():
    fpr, tpr, _ = roc_curve(labels, scores)
    return fpr, tpr, auc(fpr, tpr)


timing = timed(roc, args.seconds)
checks = Checks()
fpr, tpr, area = roc()
checks.equal("area", area, outputs["area"], 1e-9)
checks.equal("curve", np.interp(inputs["rates"], fpr, tpr), outputs["heights"], 1e-9)
report(timing, checks, "scikit-learn")

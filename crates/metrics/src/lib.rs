//! Exact pixel-wise ROC, precision-recall and per-region-overlap curves for defect segmentation.

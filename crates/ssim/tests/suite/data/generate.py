# Regenerates the expected maps in this folder.
#
# Made with Python 3, numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0:
#     python generate.py
#
# It prints the means, which are literals in the test.
# The images are not stored: `image` below is repeated in tests/suite/scikit_image.rs.
import numpy as np
from skimage.metrics import structural_similarity

WIDTH, HEIGHT = 33, 29


def image(seed):
    """A ramp with six bits of noise from a linear congruential generator and a flat patch, in [0, 1]."""
    state, values = seed, []
    for index in range(WIDTH * HEIGHT):
        state = (1664525 * state + 1013904223) % 2**32
        row, column = index // WIDTH, index % WIDTH
        flat = 3 <= row < 17 and 4 <= column < 18
        values.append((90 + 20 * seed if flat else 3 * (row + column) + (state >> 26)) / 255)
    return np.array(values, dtype=np.float32).reshape(HEIGHT, WIDTH).astype(np.float64)


def write(name, **arguments):
    mean, expected = structural_similarity(
        image(1), image(2), full=True, data_range=1.0, use_sample_covariance=False, **arguments
    )
    print(name, repr(float(mean)))
    with open(f"{name}.txt", "w") as file:
        for row in expected:
            print(*(f"{value:.9f}" for value in row), file=file)


write("uniform7", win_size=7)
write("uniform11", win_size=11)
write("uniform11_paper", win_size=11, K1=0.01**0.5, K2=0.03**0.5)
write("gaussian11", gaussian_weights=True, sigma=1.5)

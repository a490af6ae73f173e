// The maps of a convolution.
#pragma once

// A convolution's maps, and the pixels of its result, which are the rows of the matrix of columns. `Geometry` in
// src/gpu/problem.rs has the same fields.
struct Geometry {
    unsigned height, width, channels, rows, columns, kernel, stride, padding;
};

// Divides by what is not known before, without the slow division.
struct Divisor {
    unsigned by, reciprocal;  // 2^32 / by, rounded up

    __device__ explicit Divisor(unsigned by) : by(by), reciprocal(0xffffffff / by + 1) {}

    __device__ unsigned quotient(unsigned number) const {
        if (by == 1) return number;
        // At most one too large.
        const unsigned quotient = static_cast<unsigned long long>(number) * reciprocal >> 32;
        return quotient * by > number ? quotient - 1 : quotient;
    }
};

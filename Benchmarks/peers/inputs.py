"""The inputs of the cases: formulas that any language can reproduce, computed in float64 with NumPy.

f(i) = sin(0.7 i) + 0.1 cos(1.3 i); g(i) is f at the scrambled index q(i). The README says why there are two.
"""

import numpy as np

# Layer sizes, factor of the initial weights, samples, activation. No activation after the last layer.
NETS = {
    "small": ((10, 32, 32, 10), 1.4, 256, "tanh"),
    "big": ((784, 1000, 1000, 500, 200, 10), 2.0, 128, "relu"),
    "mnist1d": ((40, 32, 10), 2.0, 128, "relu"),
}


def f(i):
    i = np.asarray(i, dtype=np.float64)
    return np.sin(0.7 * i) + 0.1 * np.cos(1.3 * i)


def q(i):
    i = np.asarray(i, dtype=np.int64)
    return (31 * i * i + 7919 * i) % 16777213


def g(i):
    return f(q(i))


def matrix(rows, columns):
    return g(np.arange(rows * columns)).reshape(rows, columns)


def labels(n):
    return q(np.arange(n) + 3) % 10


def size(net):
    sizes = NETS[net][0]
    return sum(a * b + b for a, b in zip(sizes, sizes[1:]))


def spans(net):
    """(begin of W, begin of b, end, inputs, outputs) of each layer in the flat vector of parameters."""
    sizes, begin = NETS[net][0], 0
    for a, b in zip(sizes, sizes[1:]):
        yield begin, begin + a * b, begin + a * b + b, a, b
        begin += a * b + b


def theta(net):
    """W1, b1, W2, b2, … of a network, flat; each W is (inputs, outputs) in row-major order."""
    values, gain = g(1_000_000 + np.arange(size(net))), NETS[net][1]
    for w, b, end, inputs, _ in spans(net):
        values[w:b] *= gain / np.sqrt(inputs)
        values[b:end] *= 0.1
    return values


def data(net):
    sizes, _, batch, _ = NETS[net]
    return matrix(batch, sizes[0]), labels(batch)


def probe(n):
    return g(2_000_000 + np.arange(n))


def rademacher(k):
    return np.where(g(2_000_000 + np.asarray(k)) >= 0, 1.0, -1.0)


def rosen_start(n):
    return 1.2 + 0.1 * f(np.arange(n))


def mse5():
    return f(np.arange(25)).reshape(5, 5), f(np.arange(100, 125)).reshape(5, 5)


def logreg():
    X, u = matrix(10_000, 100), g(2_000_000 + np.arange(100))
    return X, (X @ u + 5 * g(3_000_000 + np.arange(10_000)) > 0).astype(np.float64)


def directions(net):
    """The two directions of landscape2d, scaled to the norm of the parameters."""
    n, length = size(net), np.linalg.norm(theta(net))
    both = [g(start + np.arange(n)) for start in (4_000_000, 5_000_000)]
    return [d * (length / np.linalg.norm(d)) for d in both]


def symmetric(n):
    M = matrix(n, n)
    return (M + M.T) / 2

"""NumPy and SciPy: dense linear algebra, and derivatives written by hand."""

import numpy as np
import scipy.linalg

import inputs
from measure import case, main

TYPES = {"f32": np.float32, "f64": np.float64}


@case("gemm", "f64", "f32")
def gemm(dtype):
    """The peak that the other figures are measured against: 1024³ multiplications and additions."""
    A = inputs.matrix(1024, 1024).astype(TYPES[dtype])
    B = np.ascontiguousarray(A[::-1])
    return lambda: A @ B, lambda C: {"check": np.linalg.norm(C.astype(np.float64))}


def dense_eigen(n):
    A = inputs.symmetric(n)
    return lambda: scipy.linalg.eigh(A, driver="evd"), lambda r: {"check": np.sum(np.abs(r[0])), "check2": np.max(r[0])}


@case("eig_dense.500")
def eig_dense_500(dtype):
    return dense_eigen(500)


@case("eig_dense.1738")
def eig_dense_1738(dtype):
    return dense_eigen(1738)


@case("logreg")
def logreg(dtype):
    """Gradient and Hessian written by hand."""
    X, y = inputs.logreg()
    n = len(y)

    def work():
        w, count = np.zeros(100), 0
        while True:
            p = 1 / (1 + np.exp(-(X @ w)))
            gradient = X.T @ (p - y) / n
            if np.linalg.norm(gradient) < 1e-8:
                return w, count
            hessian = X.T @ (X * (p * (1 - p) / n)[:, None])
            w = w - scipy.linalg.cho_solve(scipy.linalg.cho_factor(hessian), gradient)
            count += 1

    def check(r):
        z = X @ r[0]
        loss = np.mean(np.logaddexp(0, z) - y * z)
        return {"check": loss, "check2": np.linalg.norm(r[0]), "iters": r[1]}

    return work, check


if __name__ == "__main__":
    main()

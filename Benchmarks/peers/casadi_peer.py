"""CasADi: SX compiled to C for the small problems, sparse Hessians for the chained Rosenbrock function."""

import os
import tempfile

import casadi
import numpy as np

import inputs
from measure import case, main


def compiled(function):
    """The function through the C compiler."""
    folder = tempfile.mkdtemp()
    here = os.getcwd()
    os.chdir(folder)
    try:
        generator = casadi.CodeGenerator("generated.c")
        generator.add(function)
        generator.generate()
        importer = casadi.Importer("generated.c", "shell", {"compiler": "gcc", "flags": ["-O3", "-march=native"]})
        return casadi.external(function.name(), importer)
    finally:
        os.chdir(here)


def repeated(step, count):
    """`count` steps in one function, compiled to C."""
    return compiled(step.mapaccum("run", count))


@case("mse5")
def mse5(dtype):
    W, T = (a.ravel() for a in inputs.mse5())
    w = casadi.SX.sym("w", 25)
    loss = casadi.sumsqr(w - T) / 25
    H, g = casadi.hessian(loss, w)
    step = casadi.Function("step", [w], [w - 0.1 * casadi.solve(H, g)])
    run = repeated(step, 40)
    value = casadi.Function("value", [w], [loss, casadi.norm_fro(H)])

    def check(r):
        final, size = value(r[:, -1])
        return {"check": final, "check2": size}

    return (lambda: run(W), 40), check


@case("rosenbrock2")
def rosenbrock2(dtype):
    x = casadi.SX.sym("x", 2)
    f = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    H, g = casadi.hessian(f, x)
    run = repeated(casadi.Function("step", [x], [x - casadi.solve(H, g)]), 20)
    size = casadi.Function("size", [x], [casadi.norm_fro(H)])
    start = np.array([-1.2, 1.0])
    return (lambda: run(start), 20), lambda r: {"check": size(start), "check2": np.linalg.norm(np.array(r[:, -1]))}


@case("rosen1000")
def rosen1000(dtype):
    """Left sparse: a dense matrix is not made."""
    x = casadi.MX.sym("x", 1000)
    f = casadi.sum1(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    function = casadi.Function("H", [x], [casadi.hessian(f, x)[0]])
    start = casadi.DM(inputs.rosen_start(1000))
    return lambda: function(start), lambda H: {"check": casadi.norm_fro(H)}


if __name__ == "__main__":
    main()

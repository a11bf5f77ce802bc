"""PyHessian, curvlinops and SciPy on the small network in float64: a line of JSON a tool and quantity."""

import json
import sys
import time

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh, lobpcg

import inputs

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def network():
    """The model with the benchmark's weights, and its data."""
    X, y = inputs.data("small")
    theta = torch.tensor(inputs.theta("small"))
    layers = list(inputs.spans("small"))
    modules = []
    for k, (w, b, end, m, n) in enumerate(layers):
        linear = torch.nn.Linear(m, n)
        with torch.no_grad():
            linear.weight.copy_(theta[w:b].reshape(m, n).T)
            linear.bias.copy_(theta[b:end])
        modules += [linear] + ([torch.nn.Tanh()] if k < len(layers) - 1 else [])
    return torch.nn.Sequential(*modules), torch.tensor(X), torch.tensor(y)


MODEL, X, Y = network()
LOSS = torch.nn.CrossEntropyLoss()


def exact():
    """All eigenvalues of the Hessian, ascending."""
    parameters = dict(MODEL.named_parameters())
    shapes = [(name, p.shape, p.numel()) for name, p in parameters.items()]

    def f(flat):
        parts, begin = {}, 0
        for name, shape, count in shapes:
            parts[name] = flat[begin:begin + count].reshape(shape)
            begin += count
        return LOSS(torch.func.functional_call(MODEL, parts, X), Y)

    flat = torch.cat([p.detach().reshape(-1) for p in parameters.values()])
    return np.linalg.eigvalsh(torch.func.hessian(f)(flat).numpy())


def report(tool, what, seconds, products, error, value, bound=""):
    row = {"tool": tool, "what": what, "seconds": seconds, "products": products, "error": error, "value": value, "bound": bound}
    print(json.dumps(row), flush=True)


class Counted:
    """Counts the calls of a function in a module."""

    def __init__(self, module, name):
        self.count, original = 0, getattr(module, name)

        def counted(*arguments, **options):
            self.count += 1
            return original(*arguments, **options)

        setattr(module, name, counted)


def pyhessian(top, trace):
    from pyhessian import hessian

    # The class has the name of its module.
    counter = Counted(sys.modules["pyhessian.hessian"], "hessian_vector_product")
    for label, options in (("tol=1e-3", {}), ("tol=1e-10", {"tol": 1e-10, "maxIter": 2000})):
        counter.count = 0
        begin = time.perf_counter()
        values, _ = hessian(MODEL, LOSS, data=(X, Y), cuda=False).eigenvalues(top_n=5, **options)
        seconds = time.perf_counter() - begin
        report("PyHessian", f"top 5, {label}", seconds, counter.count, float(np.abs(np.array(values) - top).max()), values[0])
    counter.count = 0
    begin = time.perf_counter()
    samples = hessian(MODEL, LOSS, data=(X, Y), cuda=False).trace(maxIter=100, tol=0)
    report("PyHessian", "trace, Hutchinson", time.perf_counter() - begin, counter.count, abs(np.mean(samples) - trace), np.mean(samples))


def curvlinops_rows(top, trace):
    import curvlinops

    def made():
        parameters = [p for p in MODEL.parameters()]
        return curvlinops.HessianLinearOperator(MODEL, LOSS, parameters, [(X, Y)], check_deterministic=False)

    def counted(operator, count):
        scipy = operator.to_scipy()

        def product(v):
            count[0] += v.shape[1] if v.ndim == 2 else 1
            return scipy @ v

        return LinearOperator(scipy.shape, matvec=product, matmat=product, dtype=np.float64)

    for tolerance in (1e-4, 1e-9):
        count = [0]
        begin = time.perf_counter()
        values, _ = eigsh(counted(made(), count), k=5, which="LA", tol=tolerance)
        seconds = time.perf_counter() - begin
        report("curvlinops, SciPy eigsh", f"top 5, tol={tolerance:g}", seconds, count[0], float(np.abs(values[::-1] - top).max()), values[-1])
    count = [0]
    begin = time.perf_counter()
    start = np.random.default_rng(1).standard_normal((len(inputs.theta("small")), 5))
    values, _ = lobpcg(counted(made(), count), start, largest=True, tol=1e-6, maxiter=500)
    seconds = time.perf_counter() - begin
    values = np.sort(values)[::-1]
    report("curvlinops, SciPy lobpcg", "top 5, tol=1e-6", seconds, count[0], float(np.abs(values - top).max()), values[0])
    for name, function in (("Hutchinson", curvlinops.hutchinson_trace), ("XTrace", curvlinops.xtrace)):
        begin = time.perf_counter()
        found = float(function(made(), 100))
        report("curvlinops", f"trace, {name}", time.perf_counter() - begin, 100, abs(found - trace), found)


if __name__ == "__main__":
    values = exact()
    pyhessian(values[::-1][:5], values.sum())
    curvlinops_rows(values[::-1][:5], values.sum())

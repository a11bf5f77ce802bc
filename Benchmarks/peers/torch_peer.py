"""PyTorch: torch.compile where it is the best of all, and BackPACK's exact diagonal of the Hessian."""

import math

import torch

import inputs
from measure import case, main

TYPES = {"f32": torch.float32, "f64": torch.float64}


@case("elementwise")
def elementwise(dtype):
    import numpy as np

    x = torch.tensor(inputs.f(np.arange(1_000_000)), requires_grad=True)
    f = torch.compile(lambda x: torch.sum(torch.exp(-x * x) * torch.sin(x) + torch.log1p(x * x)))

    def work():
        value = f(x)
        return value, torch.autograd.grad(value, x)[0]

    return work, lambda r: {"check": r[0].item(), "check2": r[1].norm().item()}


@case("last_layer_hess.diag_all", "f32", "f64")
def diag_all(dtype):
    """BackPACK's DiagHessian: the diagonal for every parameter in one backward sweep."""
    from backpack import backpack, extend
    from backpack.extensions import DiagHessian

    t = TYPES[dtype]
    X, y = inputs.data("big")
    X, y, theta = torch.tensor(X, dtype=t), torch.tensor(y), torch.tensor(inputs.theta("big"), dtype=t)
    layers = list(inputs.spans("big"))
    modules = []
    for k, (w, b, end, m, n) in enumerate(layers):
        linear = torch.nn.Linear(m, n, dtype=t)
        with torch.no_grad():
            linear.weight.copy_(theta[w:b].reshape(m, n).T)
            linear.bias.copy_(theta[b:end])
        modules += [linear] + ([torch.nn.ReLU()] if k < len(layers) - 1 else [])
    model = extend(torch.nn.Sequential(*modules))
    loss = extend(torch.nn.CrossEntropyLoss())

    def work():
        model.zero_grad()
        with backpack(DiagHessian()):
            loss(model(X), y).backward()
        return model[6].weight.diag_h

    return work, lambda d: {"check": math.sqrt((d.double() ** 2).sum().item())}


if __name__ == "__main__":
    main()

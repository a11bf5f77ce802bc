"""From the start of the process to the Hessian of Rosenbrock's function: `startup_peer.py autograd|casadi|jax`."""

import sys


def with_autograd():
    import autograd
    import autograd.numpy as np

    f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    return autograd.hessian(f)(np.array([-1.2, 1.0]))


def with_casadi():
    import casadi

    x = casadi.SX.sym("x", 2)
    f = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    return casadi.Function("H", [x], [casadi.hessian(f, x)[0]])([-1.2, 1.0])


def with_jax():
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    return jax.jit(jax.hessian(f))(jnp.array([-1.2, 1.0]))


H = {"autograd": with_autograd, "casadi": with_casadi, "jax": with_jax}[sys.argv[1]]()
print("check", repr(float(sum(H[i, j] ** 2 for i in range(2) for j in range(2)) ** 0.5)))

"""JAX: each case jitted as a whole, in the variant that was the fastest of those tried."""

import functools
import sys

import jax

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", "f64" in sys.argv)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import inputs  # noqa: E402
from measure import case, main  # noqa: E402

TYPES = {"f32": np.float32, "f64": np.float64}


def ready(function, *arguments):
    """Calls and waits: JAX returns before it has finished."""
    return lambda: jax.block_until_ready(function(*arguments))


def norm(x):
    return np.linalg.norm(np.asarray(x, dtype=np.float64))


def predict(net, theta, X, layers=None):
    """The logits, or what the first so many layers give before their activation."""
    activation = jnp.tanh if inputs.NETS[net][3] == "tanh" else jax.nn.relu
    for k, (w, b, end, m, n) in enumerate(list(inputs.spans(net))[:layers]):
        X = (activation(X) if k else X) @ theta[w:b].reshape(m, n) + theta[b:end]
    return X


def crossentropy(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


def network(net, dtype):
    """(loss of flat parameters, X, y; the parameters; X; y)"""
    X, y = inputs.data(net)

    def loss(theta, X, y):
        return crossentropy(predict(net, theta, X), y)

    t = TYPES[dtype]
    return loss, jnp.asarray(inputs.theta(net).astype(t)), jnp.asarray(X.astype(t)), jnp.asarray(y)


def hvp(f, x, v):
    return jax.jvp(jax.grad(f), (x,), (v,))[1]


@case("mse5")
def mse5(dtype):
    W, T = (jnp.asarray(a.ravel()) for a in inputs.mse5())
    loss = lambda w: jnp.mean((w - T) ** 2)

    @jax.jit
    def run(w):
        def step(_, state):
            w, _ = state
            H = jax.hessian(loss)(w)
            return w - 0.1 * jnp.linalg.solve(H, jax.grad(loss)(w)), H

        w, H = jax.lax.fori_loop(0, 40, step, (w, jnp.zeros((25, 25))))
        return loss(w), jnp.linalg.norm(H)

    return (ready(run, W), 40), lambda r: {"check": r[0], "check2": r[1]}


@case("rosenbrock2")
def rosenbrock2(dtype):
    f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    start = jnp.array([-1.2, 1.0])

    @jax.jit
    def run(x):
        step = lambda _, x: x - jnp.linalg.solve(jax.hessian(f)(x), jax.grad(f)(x))
        return jax.lax.fori_loop(0, 20, step, x)

    return (ready(run, start), 20), lambda x: {"check": norm(jax.hessian(f)(start)), "check2": norm(x)}


def rosen(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@case("rosen1000")
def rosen1000(dtype):
    x = jnp.asarray(inputs.rosen_start(1000))
    return ready(jax.jit(jax.hessian(rosen)), x), lambda H: {"check": norm(H)}


@case("rosen100k")
def rosen100k(dtype):
    """Three hand-coloured Hessian-vector products give the three diagonals; a tridiagonal solve the step."""
    n = 100_000
    x = jnp.asarray(inputs.rosen_start(n))
    gradient = jax.grad(rosen)

    @jax.jit
    def run(x):
        g, push = jax.linearize(gradient, x)
        index = jnp.arange(n)
        columns = jax.vmap(push)(jnp.stack([(index % 3 == c).astype(x.dtype) for c in range(3)]))
        diagonal = columns[index % 3, index]
        lower = jnp.where(index > 0, columns[(index - 1) % 3, index], 0)
        upper = jnp.where(index < n - 1, columns[(index + 1) % 3, index], 0)
        return jax.lax.linalg.tridiagonal_solve(lower, diagonal, upper, -g[:, None])[:, 0]

    def check(d):
        g = gradient(x)
        return {"check": norm(d), "check2": norm(hvp(rosen, x, d) + g) / norm(g)}

    return ready(run, x), check


@case("mlp_hess", "f64", "f32")
def mlp_hess(dtype):
    """Products with the columns of the identity matrix, 22 at a time."""
    loss, theta, X, y = network("small", dtype)

    @jax.jit
    def run(theta):
        gradient = jax.grad(lambda t: loss(t, X, y))
        column = lambda v: jax.jvp(gradient, (theta,), (v,))[1]
        chunks = jnp.eye(theta.size, dtype=theta.dtype).reshape(-1, 22, theta.size)
        return jax.lax.map(jax.vmap(column), chunks).reshape(theta.size, theta.size)

    return ready(run, theta), lambda H: {"check": norm(H)}


@case("mlp_hess_plain", "f64", "f32")
def mlp_hess_plain(dtype):
    """jax.hessian, as anyone would write it first."""
    loss, theta, X, y = network("small", dtype)
    return ready(jax.jit(jax.hessian(lambda t: loss(t, X, y))), theta), lambda H: {"check": norm(H)}


@case("mlp_hvp.grad", "f32", "f64")
def mlp_grad(dtype):
    loss, theta, X, y = network("big", dtype)
    return ready(jax.jit(jax.grad(loss)), theta, X, y), lambda g: {"check": norm(g)}


@case("mlp_hvp.hvp", "f32", "f64")
def mlp_hvp(dtype):
    """Reverse over reverse: the gradient of ⟨gradient, v⟩."""
    loss, theta, X, y = network("big", dtype)
    v = jnp.asarray(inputs.probe(theta.size).astype(TYPES[dtype]))
    run = jax.jit(jax.grad(lambda t, X, y, v: jnp.vdot(jax.grad(loss)(t, X, y), v)))
    return ready(run, theta, X, y, v), lambda h: {"check": norm(h)}


@case("last_layer_hess.last", "f32", "f64")
def last_layer(dtype):
    _, theta, X, y = network("big", dtype)
    begin = list(inputs.spans("big"))[-1][0]

    @jax.jit
    def run(theta, X, y):
        body = jax.nn.relu(predict("big", theta, X, layers=4))
        head = lambda last: crossentropy(body @ last[:2000].reshape(200, 10) + last[2000:], y)
        return jax.hessian(head)(theta[begin:])

    return ready(run, theta, X, y), lambda H: {"check": norm(H)}


@case("train_epoch", "f32", "f64")
def train_epoch(dtype):
    """The whole epoch is one lax.scan."""
    t = TYPES[dtype]
    loss, theta, _, _ = network("big", dtype)
    X = jnp.asarray(inputs.matrix(12_800, 784).astype(t)).reshape(100, 128, 784)
    y = jnp.asarray(inputs.labels(12_800)).reshape(100, 128)

    @jax.jit
    def run(theta, X, y):
        def step(theta, batch):
            value, gradient = jax.value_and_grad(loss)(theta, *batch)
            return theta - 0.001 * gradient, value

        return jax.lax.scan(step, theta, (X, y))

    return (ready(run, theta, X, y), 100), lambda r: {"check": r[1][-1], "check2": norm(r[0])}


@case("hutch_reg", "f32", "f64")
def hutch_reg(dtype):
    loss, theta, X, y = network("mnist1d", dtype)
    v = jnp.asarray(inputs.rademacher(np.arange(theta.size)).astype(TYPES[dtype]))

    def objective(theta):
        at = lambda t: loss(t, X, y)
        return at(theta) + 0.001 * jnp.sum(hvp(at, theta, v) ** 2)

    @jax.jit
    def run(theta):
        def step(theta, _):
            value, gradient = jax.value_and_grad(objective)(theta)
            return theta - 0.1 * gradient, value

        return jax.lax.scan(step, theta, None, length=100)

    return (ready(run, theta), 100), lambda r: {"check": norm(jax.grad(objective)(theta)), "check2": r[1][-1]}


@case("slq")
def slq(dtype):
    """Lanczos with full reorthogonalisation, the ten probes by vmap."""
    loss, theta, X, y = network("small", dtype)
    P, steps, probes = theta.size, 50, 10
    k = np.arange(P)
    starts = jnp.asarray(np.stack([inputs.rademacher(P * p + k) for p in range(probes)]) / np.sqrt(P))

    @jax.jit
    def run(theta, starts):
        product = lambda v: hvp(lambda t: loss(t, X, y), theta, v)

        def lanczos(v):
            def step(i, state):
                Q, alpha, beta, v = state
                Q = Q.at[i].set(v)
                w = product(v)
                alpha = alpha.at[i].set(jnp.vdot(v, w))
                for _ in range(2):
                    w = w - (Q @ w) @ Q
                b = jnp.linalg.norm(w)
                return Q, alpha, beta.at[i].set(b), w / b

            zeros = jnp.zeros(steps)
            _, alpha, beta, _ = jax.lax.fori_loop(0, steps, step, (jnp.zeros((steps, P)), zeros, zeros, v))
            T = jnp.diag(alpha) + jnp.diag(beta[:-1], 1) + jnp.diag(beta[:-1], -1)
            t, U = jnp.linalg.eigh(T)
            return t, U[0] ** 2

        return jax.vmap(lanczos)(starts)

    def check(r):
        t, w = (np.asarray(a) for a in r)
        return {"check": np.mean(np.sum(w * t, axis=1)), "check2": np.mean(np.sum(w * t * t, axis=1))}

    return ready(run, theta, starts), check


@case("lanczos")
def lanczos(dtype):
    """SciPy's eigsh (ARPACK) with a jitted Hessian-vector product."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    loss, theta, X, y = network("small", dtype)
    product = jax.jit(lambda v: hvp(lambda t: loss(t, X, y), theta, v))
    count = 0

    def matvec(v):
        nonlocal count
        count += 1
        return np.asarray(product(v))

    def work():
        nonlocal count
        count = 0
        operator = LinearOperator((theta.size, theta.size), matvec=matvec, dtype=np.float64)
        return eigsh(operator, k=10, which="LA", v0=inputs.probe(theta.size), tol=1e-8)

    return work, lambda r: {"check": np.sum(r[0]), "check2": np.max(r[0]), "iters": count}


@case("landscape2d", "f64", "f32")
def landscape2d(dtype):
    """51 points at a time."""
    loss, theta, X, y = network("small", dtype)
    d1, d2 = (jnp.asarray(d.astype(TYPES[dtype])) for d in inputs.directions("small"))
    axis = np.linspace(-1, 1, 51).astype(TYPES[dtype])

    @jax.jit
    def run(theta, d1, d2):
        row = lambda a: jax.vmap(lambda b: loss(theta + a * d1 + b * d2, X, y))(jnp.asarray(axis))
        return jax.lax.map(row, jnp.asarray(axis))

    def check(values):
        values = np.asarray(values, dtype=np.float64)
        return {"check": values.mean(), "check2": values.max()}

    return ready(run, theta, d1, d2), check


@case("elementwise")
def elementwise(dtype):
    x = jnp.asarray(inputs.f(np.arange(1_000_000)))
    f = lambda x: jnp.sum(jnp.exp(-x * x) * jnp.sin(x) + jnp.log1p(x * x))
    return ready(jax.jit(jax.value_and_grad(f)), x), lambda r: {"check": r[0], "check2": norm(r[1])}


@case("logreg")
def logreg(dtype):
    X, y = (jnp.asarray(a) for a in inputs.logreg())

    def loss(w):
        z = X @ w
        return jnp.mean(jax.nn.softplus(z) - y * z)

    @jax.jit
    def step(w):
        g = jax.grad(loss)(w)
        factor = jax.scipy.linalg.cho_factor(jax.hessian(loss)(w))
        return jnp.linalg.norm(g), w - jax.scipy.linalg.cho_solve(factor, g)

    def work():
        w, count = jnp.zeros(100), 0
        while True:
            length, moved = step(w)
            if float(length) < 1e-8:
                return w, count
            w, count = moved, count + 1

    return work, lambda r: {"check": loss(r[0]), "check2": norm(r[0]), "iters": r[1]}


if __name__ == "__main__":
    main()

"""What is measured: each case with its reference values, its peers, and the goal against each."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Peer:
    """`module`: peers/<module>_peer.py (of startup: its argument). `goal`: how many times faster hlab is to be.

    `case`: the name of the variant there, where it is not the case's.
    """

    label: str
    module: str
    goal: float | None = None
    case: str | None = None


@dataclass(frozen=True)
class Case:
    """`reference`: float64 results of the peers. `tolerance`: where rounding grows more than usual.

    `residuals`: results that are to be small instead of equal. `operations`: multiplications and additions that the
    matrix products of the case need; the README derives them.
    """

    name: str
    dtype: str
    reference: dict
    peers: tuple = ()
    samples: int = 9
    tolerance: float | None = None
    residuals: dict = field(default_factory=dict)
    operations: float | None = None


def values(check, check2=None):
    return {"check": check} | ({} if check2 is None else {"check2": check2})


def both(name, reference, peers, order=("f64", "f32"), **more):
    return [Case(name, dtype, reference, peers, **more) for dtype in order]


def layers(sizes):
    return [a * b for a, b in zip(sizes, sizes[1:])]


BIG = layers((784, 1000, 1000, 500, 200, 10))
SMALL = layers((10, 32, 32, 10))
# Forward, backward to the inputs (not of the first layer), backward to the weights.
GRADIENT = 2 * 128 * (3 * sum(BIG) - BIG[0])
# Forward and backward, each with its tangent (a product in the first layer, two elsewhere), and the tangent alone of
# the weights' gradient.
PRODUCT = 2 * 128 * (8 * sum(BIG) - 5 * BIG[0])
# Half of the products of what each sample adds to 10^10 entries.
ROWS = 2 * 128 * 100_000**2 / 2
# Forward, and half of the products of a sample's rows of 2010 entries.
LAST = 2 * 128 * (sum(BIG) + 2010 * 2010 / 2)

CASES = [
    *both("gemm", values(16552.89517146855), (Peer("NumPy: A @ B", "numpy"),), operations=2 * 1024**3),
    Case(
        "mse5", "f64", values(7.955491371211097e-05, 0.4),
        (Peer("CasADi: compiled to C, mapaccum", "casadi", 1), Peer("JAX: whole loop jitted", "jax", 1)),
    ),
    Case(
        "rosenbrock2", "f64", values(1506.5523555456014, 1.4142135623730951),
        (Peer("JAX: whole loop jitted", "jax", 1), Peer("CasADi: compiled to C, mapaccum", "casadi", 1)),
    ),
    Case(
        "rosen1000", "f64", values(51128.84531331845),
        (Peer("CasADi: left sparse", "casadi", 3), Peer("JAX: jax.hessian, dense", "jax", 1)),
    ),
    Case(
        "rosen100k", "f64", values(44.65790111598562),
        (Peer("JAX: three hand-coloured HVPs, tridiagonal solve", "jax", 1.5),), residuals={"check2": 1e-10},
    ),
    *both(
        "mlp_hess", values(5.385829218126836),
        (
            Peer("JAX: basis HVPs, 22 at a time", "jax", 8),
            Peer("JAX: jax.hessian", "jax", 30, "mlp_hess_plain"),
        ),
        operations=1.24e9,
    ),
    Case("mlp_hvp.grad", "f32", values(8.678731573110419), (Peer("JAX: jax.grad", "jax", 1),), operations=GRADIENT),
    Case("mlp_hvp.hvp", "f32", values(197.88113971668966), (Peer("JAX: reverse over reverse", "jax", 1),), operations=PRODUCT),
    Case(
        "last_layer_hess.last", "f32", values(27.547359291456297), (Peer("JAX: jax.hessian", "jax", 6),), operations=LAST,
    ),
    Case("last_layer_hess.diag_all", "f32", values(1.5890935563158126), (Peer("PyTorch: BackPACK DiagHessian", "torch", 2),)),
    # No peer: a Hessian of 40 GB. The reference is hlab's own float64 run; rows of it agree with Hessian-vector products.
    Case("rowsums", "f32", values(7100.6212588902572, 177.92757164162970), samples=1, operations=ROWS),
    # A hundred steps through the kinks of ReLU: float32 runs of different libraries differ by 1e-5.
    Case(
        "train_epoch", "f32", values(2.4043115565115567, 74.0693864519601), (Peer("JAX: lax.scan", "jax", 1),),
        samples=3, tolerance=2e-5, operations=GRADIENT,
    ),
    *both(
        "hutch_reg", values(1.6095762138304741, 0.5488347713823586), (Peer("JAX: whole loop jitted", "jax", 1.3),),
        order=("f32", "f64"),
    ),
    Case("eig_dense.500", "f64", values(4811.120343613957, 21.364401843671025), (Peer("SciPy: eigh evd", "numpy", 1),)),
    Case("eig_dense.1738", "f64", values(30776.13842597175, 42.29366420551149), (Peer("SciPy: eigh evd", "numpy", 1),), samples=3),
    Case(
        "lanczos", "f64", values(7.277654713414668, 0.836133428736094),
        (Peer("SciPy: eigsh with JAX's jitted HVP", "jax", 2),),
    ),
    Case("slq", "f64", values(0.0038964374099236462, 0.01692178077485305), (Peer("JAX: probes by vmap", "jax", 2),)),
    *both(
        "landscape2d", values(2.5284247931048043, 3.2087350144395197), (Peer("JAX: lax.map, 51 at a time", "jax", 2),),
        operations=2601 * 2 * 256 * sum(SMALL),
    ),
    Case(
        "startup", "f64", values(1506.5523555456014),
        (Peer("HIPS autograd", "autograd", 8), Peer("CasADi", "casadi", 8), Peer("JAX: jit of jax.hessian", "jax", 50)),
    ),
    Case(
        "elementwise", "f64", values(378222.7224122788, 982.79667107545),
        (Peer("PyTorch: torch.compile", "torch", 1), Peer("JAX: jit", "jax")), samples=25,
    ),
    Case(
        "logreg", "f64", values(0.4675826666894722, 3.008597549379615),
        (
            Peer("NumPy: derivatives by hand", "numpy", 1.5),
            Peer("JAX: jax.hessian, jit step", "jax", 3),
        ),
    ),
]

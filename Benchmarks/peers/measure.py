"""Timing for the peers: a module registers its cases, `main` runs one of them and prints a line of JSON a result."""

import json
import statistics
import sys
import time

CASES = {}


def case(name, *dtypes):
    """Registers a function (dtype) → (prepare, check): `prepare()` does the work and returns what `check` reads.

    `prepare` may be a pair (work, repetitions): one call of `work` then stands for so many repetitions. `check(result)`
    gives a dictionary with `check`, perhaps `check2` and `iters`.
    """

    def register(function):
        CASES[name] = (function, dtypes or ("f64",))
        return function

    return register


def measure(work, repetitions, samples, limit=8.0):
    """(result, seconds of the first call, seconds of each sample): up to `samples` within `limit`, at least three."""
    begin = time.perf_counter()
    result = work()
    first = time.perf_counter() - begin
    # Short calls are repeated to fill 20 ms.
    begin = time.perf_counter()
    result = work()
    inner = max(1, int(0.02 / max(time.perf_counter() - begin, 1e-7)))
    times, started = [], time.perf_counter()
    while len(times) < samples and (len(times) < min(3, samples) or time.perf_counter() - started < limit):
        begin = time.perf_counter()
        for _ in range(inner):
            result = work()
        times.append((time.perf_counter() - begin) / inner / repetitions)
    return result, first, times


def main():
    name, dtype, samples = sys.argv[1], sys.argv[2], int(sys.argv[3])
    function, dtypes = CASES[name]
    if dtype not in dtypes:
        sys.exit(f"{name} has no {dtype} here")
    work, check = function(dtype)
    work, repetitions = work if isinstance(work, tuple) else (work, 1)
    result, first, times = measure(work, repetitions, samples)
    record = {"name": name, "dtype": dtype, "first": first, "times": times, "median": statistics.median(times)}
    record.update({key: float(value) for key, value in check(result).items()})
    print(json.dumps(record))

"""Readers of files that were damaged at random: crashes, hangs and memory, with 95% bounds.

python benchmarks/mutated.py [--trials 20000] [--readers png npy csv …] [--seed 0] [--json FILE]

Each trial damages a valid file (bits, bytes, lengths, cut, repeated and spliced parts) and reads it in a
process with limited memory. A reader may return a value, or refuse the file by name; anything
else is a fault: another exception, a process that dies, more than `SECONDS` for a file, or `MEMORY`. The
bound of k faults in n trials is the exact one of Clopper and Pearson (1934), 3/n for none. A fault is
repeated by its reader, seed and number: `--only NUMBER`.
"""

import argparse
import multiprocessing
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from figures import Target, publish
from readers import Case, cases
from scipy.stats import beta

MEMORY, SECONDS = 2 * 2**30, 10
"""Bytes of address space beyond what the process has before it reads, and of time, for one file."""
TARGETS = [
    Target("trials", 20_000),
    Target("read"),
    Target("refused by name"),
    Target("other exceptions", 0, "≤"),
    Target("processes that died", 0, "≤"),
    Target("hangs", 0, "≤"),
    Target("faults, 95% bound in a million"),
    Target("peak memory, MB"),
    Target("slowest, s"),
]
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["readers"])
START = 60
"""Seconds until a process has loaded its reader."""
LENGTHS = (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 0xFFFF)
"""What lengths and counts are damaged to."""


Cases = Callable[[], Mapping[str, Case]]
"""Called in the process that reads."""


def damaged(files: Sequence[bytes], seed: int, number: int) -> bytes:
    """A valid file with 1 to 8 faults, determined by its number."""
    random = np.random.default_rng([seed, number])
    data = bytearray(files[random.integers(len(files))])
    for _ in range(random.integers(1, 9)):
        if not data:
            break
        place, size = int(random.integers(len(data))), int(random.integers(1, 64))
        kind = random.integers(7)
        if kind == 0:
            data[place] ^= 1 << int(random.integers(8))
        elif kind == 1:
            data[place : place + size] = random.bytes(size)
        elif kind == 2:
            order = "little" if random.integers(2) else "big"
            data[place : place + 4] = int(random.choice(LENGTHS)).to_bytes(4, order)
        elif kind == 3:
            del data[place:]
        elif kind == 4:
            del data[place : place + size]
        elif kind == 5:
            data[place:place] = data[place : place + size] * int(random.integers(1, 20))
        else:
            other = files[random.integers(len(files))]
            data[place:] = other[int(random.integers(len(other))) :]
    return bytes(data)


def work(case_of: Cases, name: str, seed: int, numbers: Sequence[int], to: Connection) -> None:
    """Read damaged files one after the other, and send what became of each."""
    from modaloom.core.errors import BadFile, BadRun

    case = case_of()[name]
    files = case.files()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"damaged{case.suffix}"
        path.write_bytes(files[0])
        case.read(path)  # loads what the reader needs
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        for number in numbers:
            path.write_bytes(damaged(files, seed, number))
            start = time.monotonic()
            to.send((number, "", 0.0))
            try:
                case.read(path)
                found = "read"
            except (BadFile, BadRun):
                found = "refused by name"
            except Exception as error:
                found = f"{type(error).__name__}: {str(error)[:80]}"
            to.send((number, found, time.monotonic() - start))
        to.send((-1, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), 0.0))


def outcomes(
    case_of: Cases, name: str, seed: int, numbers: Sequence[int]
) -> Iterator[tuple[int, str, float]]:
    """(number, what became of it, seconds); the last has number -1 and the peak memory in MB."""
    left = [*numbers]
    while left:
        here, there = multiprocessing.Pipe(duplex=False)
        process = FORKSERVER.Process(target=work, args=(case_of, name, seed, left, there))
        process.start()
        there.close()
        number, patience = left[0], START
        try:
            while here.poll(patience):
                patience = SECONDS
                number, found, seconds = here.recv()
                if found:
                    yield number, found, seconds
                    left = left[1:] if number >= 0 else []
                if not left and number < 0:
                    break
            else:
                process.kill()
                yield number, "hang", float(SECONDS)
                left = left[1:]
        except EOFError:
            process.join()
            code = process.exitcode or 0
            yield number, f"died: {signal.Signals(-code).name if code < 0 else code}", 0.0
            left = left[1:]
        process.join()


def measured(name: str, trials: Sequence[int], seed: int, case_of: Cases = cases) -> dict[str, float]:
    """Counts of a reader; faults are printed as they happen."""
    counts: Counter[str] = Counter()
    slowest = peak = 0.0
    for number, found, seconds in outcomes(case_of, name, seed, trials):
        if number < 0:
            peak = max(peak, float(found))
            continue
        slowest = max(slowest, seconds)
        kind = found if found in ("read", "refused by name", "hang") else found.split(":")[0]
        kind = "processes that died" if kind == "died" else kind
        counts[kind if kind in ("read", "refused by name", "hang", "processes that died") else "other"] += 1
        if kind not in ("read", "refused by name"):
            print(f"{name} {number}: {found}", flush=True)
    n, faults = counts.total(), counts.total() - counts["read"] - counts["refused by name"]
    return {
        "trials": n,
        "read": counts["read"],
        "refused by name": counts["refused by name"],
        "other exceptions": counts["other"],
        "processes that died": counts["processes that died"],
        "hangs": counts["hang"],
        "faults, 95% bound in a million": 1e6 * float(beta.ppf(0.95, faults + 1, max(1, n - faults))),
        "peak memory, MB": peak,
        "slowest, s": slowest,
    }


def main() -> None:
    names = [*cases()]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20_000, help="damaged files of each reader")
    parser.add_argument("--readers", nargs="+", choices=names, default=names)
    parser.add_argument("--only", type=int, help="number of one trial, to repeat it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    trials: Any = range(asked.trials) if asked.only is None else [asked.only]
    columns = {name: measured(name, trials, asked.seed) for name in asked.readers}
    publish(TARGETS, columns, asked.json, judged=columns)


if __name__ == "__main__":
    main()

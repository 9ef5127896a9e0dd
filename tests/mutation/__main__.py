"""`python -m tests.mutation`: break the site in N random ways and count what the tests notice."""

from __future__ import annotations

import argparse
import difflib
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.operators import Mutation, mutations
from tests.mutation.suite import ROOT, Copy, Coverage, measure

OUTCOMES = ("killed", "timeout", "survived")


def draw(number: int, seed: int) -> Iterator[tuple[Mutation, str]]:
    """Yield random mutations of the site and the files that they change."""
    paths = (ROOT / "spectator").rglob("*.py")
    sources = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in sorted(paths)
        if path.parent.name != "versions"
    }
    every = [m for path, source in sources.items() for m in mutations(path, source)]
    random.Random(seed).shuffle(every)
    drawn = ((m, m.apply(sources[m.path])) for m in every)
    for mutation, changed in drawn:
        if changed is not None and number > 0:
            number -= 1
            yield mutation, changed


def difference(mutation: Mutation, changed: str) -> str:
    """Return the changed lines of a mutant on one line."""
    source = (ROOT / mutation.path).read_text(encoding="utf-8")
    lines = list(difflib.unified_diff(source.split("\n"), changed.split("\n"), n=0, lineterm=""))
    return " ".join(f"{line[0]} {line[1:].strip()}" for line in lines[3:])


def main() -> None:
    """Test the mutants, print each that survives, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("jobs", type=int)
    options = parser.parse_args()
    git = ("git", "-C", str(ROOT), "rev-parse", "HEAD")
    revision = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    cache = ROOT / ".mutation" / revision
    copies: SimpleQueue[Copy] = SimpleQueue()
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(options.jobs) as pool:
        for job in range(options.jobs):
            copies.put(Copy(Path(directory) / str(job)))
        if not cache.exists():
            measure(cache, Copy(Path(directory) / "coverage"))
        coverage = Coverage(cache)

        def test(mutant: tuple[Mutation, str]) -> tuple[Mutation, str]:
            mutation, changed = mutant
            copy = copies.get()
            outcome = "survived"
            for batch in coverage.batches(mutation.path, mutation.line):
                if outcome == "survived":
                    outcome = copy.outcome(mutation.path, changed, batch)
            copies.put(copy)
            if outcome == "survived":
                location = f"{mutation.path}:{mutation.line}"
                print(f"{location}: {mutation.operator}: {difference(*mutant)}", flush=True)
            return mutation, outcome

        results: list[tuple[Mutation, str]] = []
        for result in pool.map(test, draw(options.number, options.seed)):
            results.append(result)
            if len(results) % 10 == 0:
                print(f"{len(results)} of {options.number} tried", file=sys.stderr, flush=True)
        report(results)


def report(results: list[tuple[Mutation, str]]) -> None:
    """Print how many mutants of each package the tests noticed."""
    table: dict[str, Counter[str]] = {}
    for mutation, outcome in results:
        parts = Path(mutation.path).parts
        for package in (parts[1] if len(parts) > 2 else "(modules)", "total"):
            table.setdefault(package, Counter())[outcome] += 1
    print(f"{'package':<14}" + "".join(f"{name:>10}" for name in (*OUTCOMES, "rate")))
    for package, counts in sorted(table.items(), key=lambda row: (row[0] == "total", row[0])):
        rate = 1 - counts["survived"] / counts.total()
        numbers = "".join(f"{counts[name]:>10}" for name in OUTCOMES)
        print(f"{package:<14}{numbers}{rate:>10.1%}")


if __name__ == "__main__":
    main()

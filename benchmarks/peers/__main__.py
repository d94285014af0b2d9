"""Benches beside libraries that are no dependency, where they are installed: `python benchmarks/peers kernels`.

    python benchmarks/peers kernels            # beside PyTorch, into benchmarks/results/bench-kernels.json
    python benchmarks/peers jobs               # whole trainings beside loops in PyTorch
    python benchmarks/peers memory             # beside a loop in PyTorch
    python benchmarks/peers reservoir          # beside ReservoirPy
    python benchmarks/peers kernels --quick    # short, and only printed

Ours and the peer take turns, as in `ostinato bench`, which measures the same rows without the peer.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import in_torch
import reservoirs

from ostinato.benches import BenchSettings, Peer, run_bench

RESULTS = Path(__file__).resolve().parents[1] / "results"
PEERS: dict[str, tuple[str, Callable[[], Peer]]] = {
    "kernels": ("torch", in_torch.layers),
    "jobs": ("torch", in_torch.trainings),
    "memory": ("torch", in_torch.memories),
    "reservoir": ("reservoirpy", reservoirs.networks),
}


def main() -> int:
    """0, or 2 where the peer is not installed."""
    parser = argparse.ArgumentParser(prog="benchmarks/peers", description="Benches beside another library.")
    parser.add_argument("bench", choices=PEERS)
    parser.add_argument("--quick", action="store_true", help="the short version, printed and not kept")
    parser.add_argument("--repeats", type=int, help="how often each case is timed; default: the bench's own")
    given = parser.parse_args()
    package, make = PEERS[given.bench]
    try:
        peer = make()
    except ImportError as error:
        print(f"{given.bench} is measured beside {package}, which is not installed here ({error})", file=sys.stderr)
        return 2
    note = lambda words: print(words, file=sys.stderr)
    result = run_bench(given.bench, BenchSettings(given.quick, given.repeats, note, peer))
    text = json.dumps(result, indent=1, allow_nan=False) + "\n"
    if given.quick:
        print(text)
    else:
        (RESULTS / f"bench-{given.bench}.json").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

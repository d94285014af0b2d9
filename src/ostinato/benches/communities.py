"""All communities of more than ten of 25 species predicted, and eighty of them chosen."""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ostinato.benches.base import BenchSettings, Row
from ostinato.communities import CommunityModel
from ostinato.communities.design import corners
from ostinato.communities.scan import scan
from ostinato.data import Communities

SPECIES, HIDDEN, SIZES, CHOSEN = 25, 128, (11, 25), 80
METABOLITES = ("Acetate", "Butyrate", "Lactate", "Succinate")


def run(settings: BenchSettings) -> list[Row]:
    """Seconds for the scan, with its memory, and for the design of eighty communities from it."""
    species, sizes, hidden = (12, (5, 12), 8) if settings.quick else (SPECIES, SIZES, HIDDEN)
    model = untrained(species, hidden)
    with tempfile.TemporaryDirectory() as folder:
        began, busy = time.perf_counter(), time.process_time()
        note = lambda done, of: settings.note(f"communities: {done} of {of}, {time.perf_counter() - began:.0f} s")
        codes, found = scan(model, Path(folder), sizes, callback=note)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        peak = most_memory()
        began = time.perf_counter()
        chosen = corners(np.asarray(found), codes, quantile=0.95, per_corner=5)
        design = time.perf_counter() - began
        count = len(codes)
    rows = np.concatenate([corner.rows for corner in chosen])
    detail = {
        "communities": count,
        "seconds": seconds,
        "processor_seconds": busy,
        "peak_memory_bytes": peak,
        "communities_per_second": count / seconds,
    }
    return [
        Row(f"scan of {count} communities, {hidden} units, 3 steps", 1e6 * seconds, None, None, None, detail),
        Row(
            f"design of {CHOSEN} communities from them, 16 corners",
            1e6 * design,
            None,
            None,
            None,
            {"chosen": len(rows), "different": len(set(rows.tolist())), "peak_memory_bytes": most_memory()},
        ),
    ]


def untrained(species: int, hidden: int) -> CommunityModel:
    """A model of the published times; one epoch on drawn numbers, as its speed does not depend on what it learned."""
    rng = np.random.default_rng(0)
    present = rng.integers(0, 2, (40, species))
    present[:, 0] = 1
    start = 0.0066 * present / present.sum(1, keepdims=True)
    later = np.concatenate([start[:, None] * rng.uniform(10, 60, (40, 3, species)), rng.uniform(0, 40, (40, 3, 4))], 2)
    first = np.concatenate([start, np.broadcast_to([0.0, 0.0, 28.0, 0.0], (40, 4))], axis=1)
    values = np.concatenate([first[:, None], later], axis=1)
    names, kinds = tuple(f"c{i}" for i in range(40)), tuple(f"s{i}" for i in range(species))
    data = Communities(names, kinds, METABOLITES, np.array([0.0, 16.0, 32.0, 48.0]), values)
    return CommunityModel(hidden_size=hidden, members=1, folds=0, epochs=1).fit(data)


def most_memory() -> int:
    """The most that this process has had in memory so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

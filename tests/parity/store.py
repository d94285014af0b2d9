"""Stored numbers: many named arrays in one small file, without an archive entry for each."""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "golden"


def save(name, cases):
    """`cases` maps a case to its arrays by name; float16, float32 and float64 are kept as they are."""
    layout, parts = [], {"float16": [], "float32": [], "float64": []}
    for case, arrays in cases.items():
        for key, array in arrays.items():
            array = np.asarray(array)
            layout.append([case, key, str(array.dtype), list(array.shape)])
            parts[str(array.dtype)].append(array.reshape(-1))
    vectors = {dtype: np.concatenate(found) if found else np.zeros(0, dtype) for dtype, found in parts.items()}
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / f"{name}.npz", layout=np.array(json.dumps(layout)), **vectors)


def load(name):
    """The cases of a file."""
    cases = {}
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        vectors = {dtype: file[dtype] for dtype in ("float16", "float32", "float64")}
        offsets = dict.fromkeys(vectors, 0)
        for case, key, dtype, shape in json.loads(str(file["layout"])):
            size = int(np.prod(shape))
            start = offsets[dtype]
            cases.setdefault(case, {})[key] = vectors[dtype][start : start + size].reshape(shape)
            offsets[dtype] = start + size
    return cases

"""Labelled sequences in the two formats of the time-series archives: `.ts`, and `.arff` of one feature."""

from pathlib import Path

import numpy as np

from ostinato.errors import DataError

from .files import read_text

Parts = tuple[list[np.ndarray], list[str] | None]


def read_ts(path: Path) -> Parts:
    """The sequences `(time, features)` of a `.ts` file, `?` as NaN, and their labels as text, or None without any.

    After `@data` a line is a sequence: its features with colons between, each with commas between its steps, and last
    the label, where the head says `@classLabel true` or `@targetLabel true`. Raises `DataError`, which names the line.
    """
    head, found, body = read_text(path).partition("@data")
    if not found:
        raise DataError(f"{path}: no line '@data'")
    said = {parts[0].lower(): parts[1:] for parts in (line.split() for line in head.splitlines()) if parts}
    if said.get("@timestamps", ["false"])[0].lower() == "true":
        raise DataError(f"{path}: has time stamps in its sequences, which are not read; write them as CSV")
    labelled = any(said.get(name, ["false"])[0].lower() == "true" for name in ("@classlabel", "@targetlabel"))
    values, labels = [], []
    for number, line in enumerate(body.splitlines(), head.count("\n") + 1):
        if not line.strip():
            continue
        features = line.strip().split(":")
        if labelled:
            labels.append(features.pop().strip())
        try:
            columns = [[np.nan if v.strip() in ("?", "") else float(v) for v in f.split(",")] for f in features]
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        if not columns or len({len(column) for column in columns}) > 1:
            raise DataError(f"{path}, line {number}: features of lengths {[len(c) for c in columns]} in one sequence")
        if values and values[0].shape[1] != len(columns):
            raise DataError(f"{path}, line {number}: {len(columns)} features, the first has {values[0].shape[1]}")
        values.append(np.array(columns).T)
    if not values:
        raise DataError(f"{path}: no sequences after '@data'")
    return values, labels if labelled else None


def read_arff(path: Path) -> Parts:
    """The sequences of an `.arff` file: each row one, of one feature, its attributes the steps, the last the label.

    Raises `DataError`; sequences of several features (relational attributes) are named as such.
    """
    from scipy.io import arff

    text = read_text(path)
    if "relational" in text.partition("@data")[0].lower():
        raise DataError(f"{path}: sequences of several features as .arff are not read; the archive has them as .ts too")
    try:
        rows, meta = arff.loadarff(path)
    except (arff.ArffError, ValueError, IndexError, NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable .arff file ({error})") from None
    names, kinds = meta.names(), meta.types()
    if len(names) < 2 or any(kind != "numeric" for kind in kinds[:-1]):
        raise DataError(f"{path}: expected numbers, one for each step, and a label last")
    values = [np.array([float(row[name]) for name in names[:-1]])[:, None] for row in rows]
    if not values:
        raise DataError(f"{path}: no sequences after '@data'")
    last = [row[names[-1]] for row in rows]
    return values, [v.decode() if isinstance(v, bytes) else repr(float(v)) for v in last]

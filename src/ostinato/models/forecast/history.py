"""The end of the training series, kept with a forecaster that goes on from there, as arrays and plain values."""

from dataclasses import asdict
from typing import Any

import numpy as np

from ostinato.data import Frequency, Series, Zone

Packed = dict[str, list[np.ndarray]]


def pack(series: Series) -> tuple[dict[str, Any], Packed]:
    """Plain values and arrays that `unpack` turns back into the series."""
    clock = series.times is not None and np.issubdtype(series.times[0].dtype, np.datetime64)
    names = {k: list(getattr(series, k)) for k in ("ids", "target_names", "past_names", "future_names", "static_names")}
    arrays = {"target": list(series.target), "past": list(series.past), "future": list(series.future)}
    arrays["static"] = [series.static]
    unit = None
    if series.times is not None:
        kind = np.int64 if clock else np.float64
        unit = np.datetime_data(np.result_type(*series.times))[0] if clock else None
        arrays["times"] = [np.asarray(t, f"datetime64[{unit}]" if clock else kind).astype(kind) for t in series.times]
    if series.dt is not None:
        arrays["dt"] = [np.asarray(d, np.float64) for d in series.dt]
    frequency = None if series.frequency is None else asdict(series.frequency)
    zone = None if series.zone is None else asdict(series.zone)
    shapes = {k: [list(a.shape) for a in v] for k, v in arrays.items()}
    plain = {"clock": clock, "time_name": series.time_name, "frequency": frequency, "shapes": shapes}
    clocks = {"unit": unit, "zone": zone, "step": series.step, "series_name": series.series_name}
    return names | plain | clocks, arrays


def packed_like(numbers: dict[str, Any]) -> Packed:
    """The structure of the arrays, without memory of their size."""
    kinds = {"times": np.int64 if numbers["clock"] else np.float64}
    return {
        name: [np.broadcast_to(np.zeros((), kinds.get(name, np.float64)), shape) for shape in shapes]
        for name, shapes in numbers["shapes"].items()
    }


def unpack(numbers: dict[str, Any], arrays: Packed) -> Series:
    """The inverse of `pack`."""
    times = tuple(arrays["times"]) if "times" in arrays else None
    if times is not None and numbers["clock"]:
        times = tuple(t.astype(f"datetime64[{numbers.get('unit', 's')}]") for t in times)
    frequency, zone = numbers["frequency"], numbers.get("zone")
    return Series(
        target=tuple(arrays["target"]),
        past=tuple(arrays["past"]),
        future=tuple(arrays["future"]),
        static=arrays["static"][0],
        times=times,
        dt=tuple(arrays["dt"]) if "dt" in arrays else None,
        ids=tuple(numbers["ids"]),
        target_names=tuple(numbers["target_names"]),
        past_names=tuple(numbers["past_names"]),
        future_names=tuple(numbers["future_names"]),
        static_names=tuple(numbers["static_names"]),
        time_name=numbers["time_name"],
        frequency=None if frequency is None else Frequency(**frequency),
        series_name=numbers.get("series_name"),
        zone=None if zone is None else Zone(zone["name"], tuple((since, offset) for since, offset in zone["offsets"])),
        step=numbers.get("step"),
    )

"""Frames of other libraries (pandas, polars, Arrow) as columns, through narwhals; needs the extra `frames`."""

from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import CorruptFile, DataError

from .times import Moments
from .values import as_text
from .zones import Zone, exact

NEEDED = "needs the extra `frames`: pip install 'ostinato[frames]'"


def columns_of(frame: Any) -> dict[str, Any]:
    """The columns of an eager frame or series by name: numbers as float64, times with their zone, all else as strings.

    Raises `DataError` where narwhals is not installed, does not know the frame, or a name occurs twice.
    """
    try:
        import narwhals as nw
        from narwhals.exceptions import DuplicateError
    except ImportError as error:
        raise DataError(f"a frame {NEEDED}") from error
    try:
        native = nw.from_native(frame, eager_only=True, allow_series=True)
    except DuplicateError as error:
        raise DataError(f"frame: duplicate column names ({error})") from error
    except TypeError as error:
        raise DataError(f"frame: expected a frame or series that is loaded, got {type(frame).__name__}") from error
    index = _index(nw.maybe_get_index(native))
    if isinstance(native, nw.Series):
        native = native.alias(str(native.name or "0")).to_frame()
    return {**index, **{str(name): _column(nw, native[name]) for name in native.columns}}


def read_parquet(path: Path) -> dict[str, Any]:
    """The columns of a Parquet file, through pyarrow."""
    try:
        import pyarrow.parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise DataError(f"{path}: a Parquet file {NEEDED}") from error
    try:
        frame = pyarrow.parquet.read_table(path)
    except (ArrowException, OSError) as error:
        raise CorruptFile(f"{path}: not a readable Parquet file ({error})") from error
    if len(set(frame.column_names)) < len(frame.column_names):
        raise DataError(f"{path}: duplicate column names")
    return columns_of(frame)


def _index(index: Any) -> dict[str, Any]:
    """The times of a pandas index; positions and the like are left out."""
    index = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    if index is None or getattr(index.dtype, "kind", "") != "M":
        return {}
    zone = getattr(index, "tz", None)
    values = exact((index if zone is None else index.tz_convert(None)).to_numpy())
    return {str(index.name or "index"): values if zone is None else _zoned(values, str(zone), index.tolist())}


def _column(nw: Any, series: Any) -> Any:
    dtype = series.dtype
    if dtype.is_numeric():
        values = series.cast(nw.Float64)
        return np.array([v if isinstance(v, float) else np.nan for v in values.to_list()], np.float64)
    if isinstance(dtype, nw.Datetime):
        zone = getattr(dtype, "time_zone", None)
        plain = series if zone is None else series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        values = exact(np.asarray(plain.to_numpy(), "datetime64[ns]" if dtype.time_unit == "ns" else "datetime64[us]"))
        return values if zone is None else _zoned(values, zone, series.to_list())
    if dtype == nw.Date:
        return np.array([as_text(v)[:10] or "NaT" for v in series.to_list()], "datetime64[s]")
    return np.array([as_text(v) for v in series.to_list()], object)


def _zoned(values: np.ndarray, name: str, moments: list[Any]) -> Moments:
    """Times in UTC with the zone of that name; one without a place is read off the times."""
    if "/" in name:
        return Moments(values, Zone(name))
    there = ~np.isnat(values)
    offsets = [round(m.utcoffset().total_seconds()) for m, known in zip(moments, there, strict=True) if known]
    return Moments(values, Zone.of(values[there], np.array(offsets, int)) if offsets else None)

"""Settings: what is written reads back, types hold, unknown names are refused, differences are shown."""

import dataclasses
import datetime
import math
import tomllib
from pathlib import Path
from typing import Any, Literal

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from ostinato.errors import DataError, OstinatoError, SettingsError
from ostinato.runs import difference, from_table, load_settings, to_table, to_toml


@dataclasses.dataclass(frozen=True)
class Model:
    cell: Literal["gru", "lstm"] = "gru"
    hidden: int = 64
    sizes: tuple[int, ...] = (32, 32)
    dropout: float | None = None


@dataclasses.dataclass(frozen=True)
class Data:
    target: str
    horizon: int = 1
    columns: list[str] = dataclasses.field(default_factory=list)
    span: tuple[float, float] = (0.0, 1.0)
    scale: bool = True
    path: Path = Path("data.csv")
    start: datetime.date | None = None
    note: str | None = None


@dataclasses.dataclass(frozen=True)
class Settings:
    data: Data
    model: Model = Model()
    rate: float = 1e-3
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.rate <= 0:
            raise ValueError("rate: expected a positive number")


FILE = """
rate = 1
[data]
target = "Temp"
start = 1981-01-01
[model]
cell = "lstm"
"""

KEYS = st.text(max_size=8)
LEAVES = (
    st.text(max_size=12)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.just(datetime.UTC))
)
VALUES = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=8)


def identical(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(identical(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_table_is_read_back_as_it_was_written(table):
    assert identical(tomllib.loads(to_toml(table)), table)
    assert difference(to_table(table), to_table(table)) == []


def test_nothing_has_no_word_in_toml_and_numpy_numbers_are_numbers():
    table = {"a": None, "b": np.float32(0.5), "c": np.arange(3), "d": (1, 2), "e": Path("x/y")}
    assert to_table(table) == {"b": 0.5, "c": [0, 1, 2], "d": [1, 2], "e": "x/y"}
    for bad in ({"a": {"b": object()}}, {"a": [None]}, {"a": "\ud800"}):
        with pytest.raises(SettingsError):
            to_toml(bad)


def test_a_file_with_overrides_becomes_typed_settings(tmp_path):
    (tmp_path / "s.toml").write_text(FILE)
    overrides = [
        "model.hidden=128",
        "model.sizes=[1, 2, 3]",
        "model.dropout=0.5",
        "data.columns=['a', 'b']",
        "data.span=[0, 2]",
        "data.scale=false",
        "data.path=other file.csv",
        "data.target=123",
        "data.note = 7",
        "options.depth=3",
    ]
    settings = load_settings(Settings, tmp_path / "s.toml", overrides)
    data = Data("123", 1, ["a", "b"], (0.0, 2.0), False, Path("other file.csv"), datetime.date(1981, 1, 1), "7")
    assert settings == Settings(data, Model("lstm", 128, (1, 2, 3), 0.5), 1.0, {"depth": 3})
    assert isinstance(settings.rate, float)
    assert load_settings(Settings, tmp_path / "s.toml", ["data.note=none"]).data.note is None
    # Settings survive the way through a file.
    (tmp_path / "t.toml").write_text(to_toml(to_table(settings)))
    assert load_settings(Settings, tmp_path / "t.toml") == settings


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.hiden=3", r"model\.hiden: no such setting; did you mean 'model\.hidden'\?"),
        ("modell.hidden=3", r"modell: no such setting; did you mean 'model'\?"),
        ("zzz=3", "zzz: no such setting; known are data, model, rate, options"),
        ("model.hidden=many", r"model\.hidden: expected int, got 'many'"),
        ("model.hidden=1.5", r"model\.hidden: expected int, got 1\.5"),
        ("model.hidden=true", r"model\.hidden: expected int, got True"),
        ("model.cell=rnn", r"model\.cell: expected one of 'gru', 'lstm', got 'rnn'"),
        ("model.sizes=[1, 'a']", r"model\.sizes\.1: expected int, got 'a'"),
        ("model.dropout=much", r"model\.dropout: expected float or NoneType, got 'much'"),
        ("data.span=[1]", r"data\.span: expected 2 values, got 1"),
        ("data.scale=1", r"data\.scale: expected bool, got 1"),
        ("rate=-1", "rate: expected a positive number"),
        ("rate.x=1", r"rate"),
        ("model=3", r"model: expected a table, got 3"),
        ("rate", "expected name=value"),
        ("=1", "expected name=value"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, override, message):
    (tmp_path / "s.toml").write_text(FILE)
    with pytest.raises(SettingsError, match=message):
        load_settings(Settings, tmp_path / "s.toml", [override])


def test_a_missing_setting_or_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"data: must be given"):
        load_settings(Settings)
    with pytest.raises(SettingsError, match=r"data\.target: must be given"):
        load_settings(Settings, overrides=["data.horizon=2"])
    with pytest.raises(DataError, match="No such file"):
        load_settings(Settings, tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"a = \xff")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(Settings, tmp_path / "bad.toml")


NAMES = st.sampled_from(["target", "horizon", "columns", "span", "path", "start", "cell", "hidden", "sizes", "dropout"])
SECTIONS = st.dictionaries(NAMES | KEYS, VALUES, max_size=4) | VALUES
TABLES = st.fixed_dictionaries({"data": SECTIONS}, optional={"model": SECTIONS, "rate": VALUES, "options": VALUES})


@given(TABLES)
def test_anything_in_the_place_of_settings_is_taken_or_refused_in_words(value):
    try:
        settings = from_table(Settings, value)
    except OstinatoError:
        return
    assert isinstance(settings.data.target, str)


@given(st.lists(st.text(max_size=30), max_size=2))
def test_any_override_is_taken_or_refused_in_words(overrides):
    try:
        load_settings(Settings, overrides=["data.target=x", *overrides])
    except OstinatoError:
        return


def test_differences_are_shown_line_by_line_and_types_count():
    assert difference({"a": 1, "b": {"c": [1, 2]}, "d": math.nan}, {"a": 1.0, "b": {"c": [1, 3]}, "d": math.nan}) == [
        "a: 1 there, 1.0 asked for",
        "b.c: [1, 2] there, [1, 3] asked for",
    ]
    inside = {"a": [{"b": math.nan}], "c": [{"d": 1}]}
    assert difference(inside, {"a": [{"b": math.nan}], "c": [{"d": 1}]}) == []
    assert len(difference(inside, {"a": [{"b": math.nan}], "c": [{"d": 1.0}]})) == 1
    assert difference({"a": True, "b": {"c": 1}}, {"a": 1, "b": 2}) == [
        "a: True there, 1 asked for",
        "b: {'c': 1} there, 2 asked for",
    ]

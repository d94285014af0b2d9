"""The catalogue: what is refused, and the facts that the sources state of each data set."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import re
import threading
import zipfile
from pathlib import Path

import numpy as np
import pooch
import pytest

from ostinato.data import CATALOGUE, fetch, load, to_series
from ostinato.data.catalogue import find, read
from ostinato.data.files import read_bytes
from ostinato.data.sets.entry import Bundle, Entry, File
from ostinato.errors import CorruptFile, DataError

CONTENT = b"1 2 3\n"
RETRIEVE = pooch.retrieve


def entry(**changes) -> Entry:
    made = Entry(
        name="made_up",
        task="",
        licence="",
        citation="",
        split="",
        gives="",
        files=(File("a.txt", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),),
        read=lambda paths: paths["a.txt"].suffix,
    )
    return dataclasses.replace(made, **changes)


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """An empty cache, and a download that a test has to allow."""

    def refuse(address, *_, **__):
        raise ConnectionError(f"no network in tests: {address}")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pooch, "retrieve", refuse)


def place(tmp_path, content: bytes, name: str = "a.txt") -> Path:
    (tmp_path / "made_up").mkdir(exist_ok=True)
    (tmp_path / "made_up" / name).write_bytes(content)
    return tmp_path


def test_a_local_file_is_checked(tmp_path, monkeypatch):
    root = place(tmp_path, CONTENT)
    assert find(entry(), root) == {"a.txt": root / "made_up" / "a.txt"}
    monkeypatch.setenv("OSTINATO_DATA", str(root))
    assert read(entry()) == ".txt"
    place(tmp_path, CONTENT + b" ")
    with pytest.raises(CorruptFile, match=r"a\.txt: not the file of the catalogue: SHA-256 .* expected"):
        find(entry(), root)


def test_a_local_file_may_be_compressed(tmp_path):
    root = place(tmp_path, gzip.compress(CONTENT), "a.txt.gz")
    assert find(entry(), root)["a.txt"].name == "a.txt.gz"
    place(tmp_path, gzip.compress(b"other"), "a.txt.gz")
    with pytest.raises(CorruptFile, match="SHA-256"):
        find(entry(), root)


def test_nowhere_to_be_found(tmp_path):
    with pytest.raises(DataError, match=r"a\.txt has no public address; place it in the folder made_up"):
        find(entry(), tmp_path)
    public = entry(files=(File("a.txt", 6, "0" * 64, "https://example.org/a.txt"),))
    with pytest.raises(DataError, match=r"https://example.org/a.txt could not be downloaded .*\$OSTINATO_DATA"):
        find(public, tmp_path)
    with pytest.raises(DataError, match="no data set 'nonsense' in the catalogue; it has univariate_small"):
        load("nonsense")
    with pytest.raises(DataError, match="'made_up' has no reader"):
        read(entry(read=None), place(tmp_path, CONTENT))


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A file server on this machine, and the real download."""
    monkeypatch.setattr(pooch, "retrieve", RETRIEVE)
    (tmp_path / "served").mkdir()
    handler = functools.partial(SilentHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}", tmp_path / "served"
        made.shutdown()


class SilentHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_download_is_checked_and_kept(server, tmp_path):
    address, served = server
    (served / "a.txt").write_bytes(CONTENT)
    good = entry(files=(File("a.txt", 6, hashlib.sha256(CONTENT).hexdigest(), f"{address}/a.txt"),))
    path = find(good, tmp_path)["a.txt"]
    assert path.read_bytes() == CONTENT
    (served / "a.txt").unlink()
    assert find(good, tmp_path)["a.txt"] == path
    bad = entry(files=(File("b.txt", 6, "0" * 64, f"{address}/b.txt"),))
    (served / "b.txt").write_bytes(CONTENT)
    with pytest.raises(CorruptFile, match=r"b\.txt is not the file of the catalogue"):
        find(bad, tmp_path)
    gone = entry(files=(File("c.txt", 6, "0" * 64, f"{address}/c.txt"),))
    with pytest.raises(DataError, match=r"c\.txt could not be downloaded"):
        find(gone, tmp_path)


def test_members_of_a_downloaded_archive_are_checked(monkeypatch, tmp_path):
    def archive(members: dict[str, bytes]) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as out:
            for name, content in members.items():
                out.writestr(name, content)
        return file.getvalue()

    parts = {"b.wav": b"two", "a.wav": b"one"}
    lines = "".join(f"{n} {hashlib.sha256(parts[n]).hexdigest()}\n" for n in sorted(parts))
    bundle = Bundle("all.zip", "https://example.org/all.zip", ".wav", hashlib.sha256(lines.encode()).hexdigest())
    bundled = entry(bundle=bundle)
    whole = {"top/x/b.wav": b"two", "top/readme": b"-", "top/a.wav": b"one"}
    for members, error in (
        (whole, None),
        (whole | {"top/a.wav": b"One"}, "members are not those of the catalogue"),
        ({"top/a.wav": b"one"}, "members are not those of the catalogue"),
        (whole | {"other/a.wav": b"one"}, "occurs twice"),
    ):
        (tmp_path / "all.zip").write_bytes(archive(members))
        monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: str(tmp_path / "all.zip"))
        if error is None:
            assert find(bundled) == {"all.zip": tmp_path / "all.zip"}
        else:
            with pytest.raises(CorruptFile, match=error):
                find(bundled)


def test_every_entry_is_complete():
    for name, row in CATALOGUE.items():
        assert row.name == name
        assert min(map(len, (row.task, row.licence, row.citation, row.split, row.gives))) > 0
        for file in row.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
            # Pinned: the address holds a whole commit.
            assert file.address is None or re.search("/[0-9a-f]{40}/", file.address)


# Counts and first values are those of the SOURCE.md that lies beside each data set.


def test_univariate_small(data_folder):
    tables = load("univariate_small", data_folder)
    facts = {
        "Lynx": (114, 269.0, 3396.0),
        "airline-passengers": (144, 112.0, 432.0),
        "daily-max-temperatures": (3650, 38.1, 24.6),
        "daily-min-temperatures": (3650, 20.7, 13.0),
        "daily-total-female-births": (365, 35.0, 50.0),
        "monthly-car-sales": (108, 6550.0, 14577.0),
        "monthly-mean-temp": (240, 40.6, 37.8),
        "monthly-shampoo-sales": (36, 266.0, 646.9),
        "monthly-sunspots": (2820, 58.0, 33.4),
        "monthly_champagne_sales": (105, 2815.0, 5877.0),
    }
    assert set(tables) == set(facts)
    for name, (count, first, last) in facts.items():
        values = tables[name].number(tables[name].names[-1])
        assert (len(values), values[0], values[-1]) == (count, first, last)
    melbourne = to_series(tables["daily-min-temperatures"], "Temp")
    # The 29th of February is left out in 1984 and 1988: two steps of two days.
    assert melbourne.frequency.name == "daily"
    assert [str(t)[:10] for t in melbourne.times[0][melbourne.dt[0] == 2]] == ["1985-01-01", "1989-01-01"]
    assert to_series(tables["airline-passengers"]).frequency.season == 12


def test_vega_series(data_folder):
    tables = load("vega_series", data_folder)
    assert {n: len(t) for n, t in tables.items()} == {
        "sp500-2000": 5105,
        "stocks": 560,
        "seattle-weather": 1461,
        "co2-concentration": 741,
    }
    assert tables["sp500-2000"]["close"][-1] == 2874.560059
    assert to_series(tables["sp500-2000"], "close").frequency.name == "business daily"
    stocks = to_series(tables["stocks"], "price", "date", "symbol")
    assert len(stocks) == 5
    assert stocks.frequency.name == "monthly"
    assert (str(stocks.times[-1][-1])[:10], stocks.target[-1][-1, 0]) == ("2010-03-01", 223.02)
    assert tables["co2-concentration"]["adjusted CO2"][-1] == 413.35


def test_etth1(data_folder):
    table, train, valid, test = load("etth1", data_folder)
    assert len(table) == 17420
    assert [len(table.take(s)) for s in (train, valid, test)] == [8640, 2880, 2880]
    means = [table.take(train).number(n).mean().round(2) for n in table.names[1:]]
    assert means == [7.94, 2.02, 5.08, 0.75, 2.78, 0.79, 17.13]
    assert to_series(table, "OT").frequency.name == "hourly"
    # Persistence over 24 hours of the test part, squared error in training units, is stated as 0.0343.
    target = table["OT"]
    z = (target - target[train].mean()) / target[train].std()
    starts = np.arange(test.start, test.stop - 24 + 1)
    errors = [(z[s : s + 24] - z[s - 1]) ** 2 for s in starts]
    assert np.mean(errors) == pytest.approx(0.0343, abs=5e-5)


def test_exchange_rate(data_folder):
    table, train, valid, test = load("exchange_rate", data_folder)
    assert [s.stop - s.start for s in (train, valid, test)] == [4552, 1518, 1518]
    first = [table[n][0] for n in table.names]
    assert first == [0.7855, 1.611, 0.861698, 0.634196, 0.211242, 0.006838, 0.593, 0.525486]


def test_m4_hourly_weekly(data_folder):
    sets = load("m4_hourly_weekly", data_folder)
    for part, count, low, high, ahead in (("hourly", 414, 700, 960, 48), ("weekly", 359, 80, 2597, 13)):
        train, test = sets[part]
        assert len(train) == len(test) == count
        assert (min(train.lengths), max(train.lengths), set(test.lengths)) == (low, high, {ahead})
    assert sets["hourly"].train.ids[0] == "H1"
    assert sets["hourly"].train.target[0][:3, 0].tolist() == [605, 586, 586]


def test_beijing_pm25(data_folder):
    table, train, valid, test = load("beijing_pm25", data_folder)
    assert [s.stop - s.start for s in (train, valid, test)] == [26304, 8760, 8760]
    assert np.isnan(table["pm2.5"]).sum() == 2067
    assert sorted(set(table["cbwd"])) == ["NE", "NW", "SE", "cv"]
    series = to_series(table, "pm2.5", "time", past=["DEWP", "TEMP"])
    assert (series.frequency.name, series.dt) == ("hourly", None)
    assert str(series.times[0][-1]) == "2014-12-31T23:00:00"


def test_santafe_laser(data_folder):
    table, train, _, test = load("santafe_laser", data_folder)
    values = table["intensity"]
    assert (len(values), values.min(), values.max()) == (10093, 0, 255)
    assert values[:6].tolist() == [86, 141, 95, 41, 22, 21]
    assert (train, test) == (slice(0, 1000), slice(1000, 1100))


def test_japanese_vowels(data_folder):
    train, _, test = load("japanese_vowels", data_folder)
    assert (len(train), len(test), train.values[0].shape) == (270, 370, (20, 12))
    lengths = np.concatenate([train.lengths, test.lengths])
    assert (lengths.min(), lengths.max()) == (7, 29)
    assert np.unique(train.labels, return_counts=True)[1].tolist() == [30] * 9
    assert train.values[0][0, 0] == 1.860936


def test_fsdd(data_folder):
    train, _, test = load("fsdd", data_folder)
    assert (len(train), len(test)) == (2700, 300)
    assert (train.lengths.sum() + test.lengths.sum()) / 8000 == 1312.303
    assert np.unique(test.labels, return_counts=True)[1].tolist() == [30] * 10
    assert len(set(train.groups)) == 6
    assert max(np.abs(v).max() for v in test.values) <= 1


def test_indoor_movement(data_folder):
    train, _, test = load("indoor_movement", data_folder)
    assert (len(train), len(test), train.values[0].shape) == (210, 104, (27, 4))
    labels = np.concatenate([train.labels, test.labels])
    assert ((labels == -1).sum(), (labels == 1).sum()) == (156, 158)
    assert train.lengths.sum() + test.lengths.sum() == 13197
    assert np.unique(train.groups, return_counts=True)[1].tolist() == [104, 106]


def test_unipen_digits(data_folder):
    parts = load("unipen_digits", data_folder)
    assert [len(p) for p in parts] == [10000, 434, 2129]
    writers = [set(p.groups) for p in parts]
    assert len(writers[0] | writers[1] | writers[2]) == 177 == sum(map(len, writers))
    first = next(p for p in parts if len(p.values[0]) == 20)
    assert (first.values[0].shape, first.values[0][:, 2].sum(), first.labels[0]) == ((20, 3), 1, 1)
    assert max(p.lengths.max() for p in parts) == 693


def test_cmapss_fd001(data_folder):
    train, _, test = load("cmapss_fd001", data_folder)
    assert (len(train), len(test), train.lengths.sum(), test.lengths.sum()) == (100, 100, 20631, 13096)
    assert train.values[0].shape[1] == len(train.names) == 24
    assert test.labels[:2].tolist() == [112, 98]
    assert train.values[0][0, :4].tolist() == [-0.0007, -0.0004, 100, 518.67]


def test_tinyshakespeare_and_names(data_folder):
    train, valid = load("tinyshakespeare", data_folder)
    assert (len(train + valid), len(set(train + valid)), len(train)) == (1115394, 65, 1059624)
    surnames = load("names", data_folder)
    assert (len(surnames), sum(map(len, surnames.values()))) == (18, 20050)
    assert (len(surnames["Russian"]), len(surnames["Vietnamese"])) == (9384, 73)


def test_poly_music(data_folder):
    sets = load("poly_music", data_folder)
    facts = {
        "JSB_Chorales": ((229, 13807), (76, 4602), (77, 4725)),
        "Nottingham": ((694, 176561), (173, 45513), (170, 44463)),
    }
    for name, parts in facts.items():
        for part, (pieces, steps) in zip(sets[name], parts, strict=True):
            assert (len(part), part.lengths.sum()) == (pieces, steps)
    notes = {n: np.concatenate(sets[n].train.values).sum(1).mean().round(3) for n in facts}
    assert notes == {"JSB_Chorales": 3.898, "Nottingham": 3.961}


def test_fetch_gives_checked_paths(data_folder):
    paths = fetch("santafe_laser", data_folder)
    assert list(paths) == ["santafe_laser.txt"]
    assert paths["santafe_laser.txt"].is_file()


@pytest.mark.parametrize("name", [name for name, row in CATALOGUE.items() if row.read is None and row.size < 4e6])
def test_files_without_a_reader_are_those_of_the_catalogue(data_folder, name):
    assert set(fetch(name, data_folder)) == {file.name for file in CATALOGUE[name].files}


def test_sizes_are_those_of_the_content(data_folder):
    for name, row in CATALOGUE.items():
        if row.size < 4e6:
            paths = fetch(name, data_folder)
            sizes = {file.name: len(read_bytes(paths[file.name])) for file in row.files if file.name[-3:] != ".gz"}
            assert sizes == {file.name: file.size for file in row.files if file.name in sizes}

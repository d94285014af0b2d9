"""What a report says of the model itself: what was chosen and why, and the parts of its network."""

from types import SimpleNamespace

import jax

import ostinato as ost
from ostinato.jobs.figures.model import of_model


def test_what_was_chosen_stands_with_its_reason() -> None:
    chosen = {"hidden_size": 8, "rate": 0.00312345, "filters": None, "why": {"hidden_size": "270 sequences"}}
    (table,) = of_model(SimpleNamespace(chosen_=chosen))
    assert table.data["head"] == ["setting", "chosen", "why"]
    wanted = [["hidden_size", "8", "270 sequences"], ["rate", "0.003123", ""], ["filters", "none", ""]]
    assert table.data["rows"] == wanted
    assert of_model(SimpleNamespace(chosen_={})) == []


def test_the_parts_of_a_network_add_up_to_its_parameters() -> None:
    network = ost.RNN("lstm", 3, [4, 5], output_size=2, bidirectional=True, key=jax.random.key(0))
    (table,) = of_model(SimpleNamespace(network_=network))
    *parts, (total, _, _, count) = table.data["rows"]
    assert total == "all"
    assert int(count) == ost.cells.count_parameters(network) == sum(int(row[-1]) for row in parts)
    # Each direction is a part: 4 gates of W, R and b.
    assert parts[0] == ["stack.layers.0.forward", "LSTM", "3 → 4", str(4 * 4 * (3 + 4 + 1))]

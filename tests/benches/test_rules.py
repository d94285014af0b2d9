"""What the bench of rules fits its powers to."""

import pytest

from ostinato.benches import rules


def test_the_slope_is_the_power():
    sizes = [8.0, 16.0, 32.0]
    assert rules.slope(sizes, [3 * size**2.5 for size in sizes]) == pytest.approx(2.5)


@pytest.mark.study
def test_operations_grow_as_they_should():
    sizes = (8, 16)
    found = {name: [rules.step_operations(name, n) for n in sizes] for name in ("bptt", "rtrl", "diagonal rtrl")}
    weights = [float(size) for _, size in found["diagonal rtrl"]]
    assert rules.slope(weights, [count for count, _ in found["diagonal rtrl"]]) <= 1.1
    assert rules.slope([8.0, 16.0], [count for count, _ in found["rtrl"]]) > 3.3
    assert found["bptt"][1][0] < found["rtrl"][1][0] / 10

"""In plain words, whether a model is better than its baselines: a win is said only where a paired test shows it."""

from collections.abc import Mapping

from ostinato.models.comparison import PairedTest


def verdict(
    ours: str, figures: Mapping[str, float], tests: Mapping[str, PairedTest], measure: str, *, higher: bool = False
) -> str:
    """In words, whether ours is better than every baseline, which is better than ours, or that nothing was shown.

    `figures`: of ours and of each baseline; `tests`: of ours against each baseline. Their p-values are adjusted for
    how many baselines there are (`adjusted`), so that among equal models anything at all is said to win in 5 % of
    cases at most.

    ```python
    >>> rmse = {"gru": 2.0, "last": 2.5, "linear": 1.9}
    >>> says = lambda p: PairedTest("block bootstrap", p, 80, "origins")
    >>> verdict("gru", rmse, {"last": says(0.2), "linear": says(0.3)}, "RMSE")
    'No difference shown between gru (RMSE 2) and linear (1.9): block bootstrap over 80 origins, p = 0.4.'
    >>> verdict("gru", rmse, {"last": says(0.2), "linear": says(0.004)}, "RMSE")
    'linear wins: RMSE 1.9, gru has 2, 5.3 % more; block bootstrap over 80 origins, p = 0.008. gru beats no baseline.'
    >>> verdict("gru", {"gru": 0.9, "mean": 0.8}, {"mean": says(0.01)}, "R²", higher=True)
    'gru wins: R² 0.9, the best baseline, mean, has 0.8; block bootstrap over 80 origins, p = 0.01.'

    ```
    """
    others = {name: value for name, value in figures.items() if name != ours}
    own = figures[ours]
    if not others:
        return f"{ours}: {measure} {own:.4g}, no baseline beside it."
    better = lambda a, b: a > b if higher else a < b
    best = (max if higher else min)(others, key=lambda name: others[name])
    found = adjusted(tests)
    beaten = [name for name, value in others.items() if better(own, value) and found[name].shows]
    apart = "" if higher else _apart(own, others[best])
    if len(beaten) == len(others):
        rival = max(others, key=lambda name: (found[name].p, name == best))
        against = "" if rival == best else f"against {rival} "
        head = f"{ours} wins: {measure} {own:.4g}, the best baseline, {best}, has {others[best]:.4g}{apart}"
        return f"{head}; {against}{found[rival]}."
    still = f" {ours} beats {', '.join(beaten)}." if beaten else ""
    if better(others[best], own) and found[best].shows:
        still = still or f" {ours} beats no baseline."
        return f"{best} wins: {measure} {others[best]:.4g}, {ours} has {own:.4g}{apart}; {found[best]}.{still}"
    unsure = {name: test.p for name, test in found.items() if not test.shows}
    rival = best if best in unsure or not unsure else max(unsure, key=lambda name: unsure[name])
    pair = f"{ours} ({measure} {own:.4g}) and {rival} ({others[rival]:.4g})"
    return f"No difference shown between {pair}: {found[rival]}.{still}"


def adjusted(tests: Mapping[str, PairedTest]) -> dict[str, PairedTest]:
    """The tests with p-values for all of them together (Holm 1979): the k-th smallest of m times m - k + 1.

    ```python
    >>> found = adjusted({name: PairedTest("", p, 9, "") for name, p in {"a": 0.01, "b": 0.03, "c": 0.02}.items()})
    >>> {name: test.p for name, test in found.items()}
    {'a': 0.03, 'b': 0.04, 'c': 0.04}

    ```
    """
    found, largest = {}, 0.0
    for done, name in enumerate(sorted(tests, key=lambda name: tests[name].p)):
        largest = max(largest, min(1.0, (len(tests) - done) * tests[name].p))
        found[name] = tests[name]._replace(p=largest)
    return {name: found[name] for name in tests}


def _apart(own: float, value: float) -> str:
    """How much larger the larger error is than the smaller one, as a share."""
    small, large = sorted((own, value))
    return f", {100 * (large / small - 1):.1f} % more" if small > 0 else ""

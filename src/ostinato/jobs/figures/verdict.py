"""In plain words, whether a model is better than its baselines."""

from collections.abc import Mapping


def verdict(ours: str, figures: Mapping[str, float], measure: str, *, higher: bool = False) -> str:
    """In words, whether ours is better than every baseline, and if not, which wins.

    ```python
    >>> verdict("gru", {"gru": 2.0, "persistence": 2.5, "linear": 1.9}, "RMSE")
    'linear wins: RMSE 1.9, gru has 2, 5.3 % more. gru still beats persistence.'
    >>> verdict("gru", {"gru": 0.9, "most frequent class": 0.5}, "accuracy", higher=True)
    'gru wins: accuracy 0.9, the best baseline (most frequent class) has 0.5.'

    ```
    """
    others = {name: value for name, value in figures.items() if name != ours}
    own = figures[ours]
    if not others:
        return f"{ours}: {measure} {own:.4g}, no baseline beside it."
    best = (max if higher else min)(others, key=lambda name: others[name])
    value = others[best]
    apart = "" if higher or not value or not own else f"{100 * abs(own - value) / value:.1f} %"
    if own > value if higher else own < value:
        less = f", {apart} less than" if apart else ","
        named = (
            f" the best baseline, {best} ({value:.4g})." if apart else f" the best baseline ({best}) has {value:.4g}."
        )
        return f"{ours} wins: {measure} {own:.4g}{less}{named}"
    if own == value:
        return f"{ours} does not beat {best}: both have {measure} {own:.4g}."
    beaten = [name for name, v in others.items() if (own > v if higher else own < v)]
    still = f" {ours} still beats {', '.join(beaten)}." if beaten else f" {ours} beats no baseline."
    more = f", {apart} more" if apart else ""
    return f"{best} wins: {measure} {value:.4g}, {ours} has {own:.4g}{more}.{still}"

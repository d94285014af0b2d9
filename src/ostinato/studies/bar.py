"""What makes a claim hold: a bar is its words and its test, both from the same numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Bar:
    """A condition on a figure, or on the figures of all seeds; `holds` says whether it is met, `words` says what it is.

    Made by its class methods, never by hand, so that the words cannot promise something else than the test asks for.
    A figure that is missing (None) or is not a number meets no bar; a claim that is only reported has no verdict.

    ```python
    >>> bar = Bar.at_most(0.03)
    >>> bar.words, bar.holds(0.02), bar.holds(0.04), bar.holds(None)
    ('at most 0.03', True, False, False)
    >>> bar = Bar.on_share(0.8, Bar.at_least(0.9))
    >>> bar.words, bar.holds([0.95, 0.9, 0.3])
    ('at least 0.9 on 80 % of the seeds', False)
    >>> Bar.reported().holds(1.0) is None
    True

    ```
    """

    words: str
    test: Callable[[Any], bool] | None

    def holds(self, figure: Any) -> bool | None:
        """Whether the figure meets the bar; None where nothing was set."""
        return None if self.test is None else bool(self.test(figure))

    @classmethod
    def at_most(cls, limit: float, of: str = "") -> "Bar":
        """No larger than the limit; `of` names what the limit is, for instance a baseline."""
        return cls(_words("at most", limit, of), _asked(lambda figure: figure <= limit))

    @classmethod
    def below(cls, limit: float, of: str = "") -> "Bar":
        """Smaller than the limit."""
        return cls(_words("below", limit, of), _asked(lambda figure: figure < limit))

    @classmethod
    def at_least(cls, limit: float, of: str = "") -> "Bar":
        """No smaller than the limit."""
        return cls(_words("at least", limit, of), _asked(lambda figure: figure >= limit))

    @classmethod
    def above(cls, limit: float, of: str = "") -> "Bar":
        """Larger than the limit."""
        return cls(_words("above", limit, of), _asked(lambda figure: figure > limit))

    @classmethod
    def between(cls, low: float, high: float) -> "Bar":
        """From `low` to `high`, both included."""
        return cls(f"between {_number(low)} and {_number(high)}", _asked(lambda figure: low <= figure <= high))

    @classmethod
    def within(cls, distance: float, of: float) -> "Bar":
        """No further than `distance` from the value `of`."""
        return cls(f"within {distance:.3g} of {_number(of)}", _asked(lambda figure: abs(figure - of) <= distance))

    @classmethod
    def exactly(cls, value: float) -> "Bar":
        """Equal to the value."""
        return cls(f"exactly {_number(value)}", _asked(lambda figure: figure == value))

    @classmethod
    def fact(cls, words: str, true: bool) -> "Bar":
        """Something that was found out apart from the figure, for instance that two results are the same."""
        return cls(words, lambda figure: true)

    @classmethod
    def reported(cls) -> "Bar":
        """No bar: the figure is told, and nobody says whether it is good."""
        return cls("reported, no bar", None)

    @classmethod
    def all_of(cls, *bars: "Bar") -> "Bar":
        """Every one of the bars, on the same figure unless one of them brings its own (`of`)."""
        return cls(", and ".join(bar.words for bar in bars), lambda figure: all(bar.holds(figure) for bar in bars))

    @classmethod
    def each(cls, bar: "Bar") -> "Bar":
        """The bar on every seed: put to the figures of all of them."""
        return cls(f"{bar.words} on each seed", lambda figures: all(bar.holds(f) for f in figures))

    @classmethod
    def on_share(cls, share: float, bar: "Bar") -> "Bar":
        """The bar on at least that share of the seeds: put to the figures of all of them."""
        test = lambda figures: sum(bool(bar.holds(f)) for f in figures) >= share * len(figures)
        return cls(f"{bar.words} on {share:.0%} of the seeds".replace("%", " %"), test)

    def of(self, name: str, figure: Any) -> "Bar":
        """The same condition on another figure than the claim's, which `name` names."""
        return replace(self, words=f"{name}: {self.words}", test=lambda _: bool(self.holds(figure)))

    def noting(self, words: str) -> "Bar":
        """With a remark behind its words, which changes nothing in what it asks for."""
        return replace(self, words=f"{self.words}; {words}")


def told(bar: Bar, figures: Any) -> str:
    """The words of a bar, with the figures that it was put to where these are those of several seeds.

    ```python
    >>> told(Bar.each(Bar.below(1)), [0.5, 2.0])
    'below 1 on each seed; by seed 0.5, 2'

    ```
    """
    if not isinstance(figures, Sequence):
        return bar.words
    return f"{bar.words}; by seed {', '.join(f'{figure:.4g}' for figure in figures)}"


def _asked(test: Callable[[float], bool]) -> Callable[[float | None], bool]:
    """The test for figures that may be missing."""
    return lambda figure: figure is not None and bool(test(figure))


def _words(relation: str, limit: float, of: str) -> str:
    return f"{relation} {of} ({limit:.4g})" if of else f"{relation} {_number(limit)}"


def _number(value: float) -> str:
    return f"{value:,.12g}" if abs(value) >= 1000 else f"{value:.12g}"

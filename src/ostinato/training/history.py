"""What training noted at each evaluation."""

from typing import Any

from ostinato.view import Figure, learning_curves


class History(list[dict[str, Any]]):
    """A record for each evaluation: `step`, `epoch`, `loss`, `metrics`, `seconds`; a list that draws itself.

    ```python
    >>> history = History([{"step": 10, "epoch": 1.0, "loss": 0.5, "metrics": {"rmse": 0.6}}])
    >>> history, history.plot(), history[0]["loss"]
    (History(1 evaluation, to epoch 1, loss 0.5), Figure('Learning curve'), 0.5)

    ```
    """

    def plot(self) -> Figure:
        """Loss and validation over the epochs: a figure for a notebook or a file (`Figure.save`)."""
        judged = [record for record in self if record.get("metrics")]
        first = lambda record: next(iter(record["metrics"].values()))
        best = min(judged, key=first)["step"] if judged else None
        return Figure(*learning_curves(self, best))

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def __repr__(self) -> str:
        count = f"{len(self)} evaluation{'' if len(self) == 1 else 's'}"
        return f"History({count}, to epoch {self[-1]['epoch']:g}, loss {self[-1]['loss']:.4g})" if self else "History()"

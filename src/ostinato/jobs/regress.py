"""The job `regress`: sequences with a number each."""

from typing import TYPE_CHECKING, Any

from ostinato.errors import DataError
from ostinato.jobs.base import Predictions
from ostinato.jobs.sequences import SequenceJob, flat, label_of

if TYPE_CHECKING:
    from ostinato.data import LabelledSequences
    from ostinato.models import SequenceRegressor
    from ostinato.runs import Evaluation


class Regress(SequenceJob):
    """A number for each sequence."""

    name, title, plural = "regress", "Regression", "regressions"
    help = """Predict a number for each sequence.

    A share of the sequences is held out, and the error on it is printed beside the mean, linear maps of values and of
    means, and the nearest neighbour. Without --epochs, all that is not given is chosen from the training part.

    Example: `ostinato fit regress engines.csv --series unit --time cycle --label life --out runs/engines`
    """

    numbers = True

    def estimator(self) -> "type[SequenceRegressor]":
        from ostinato.models import SequenceRegressor

        return SequenceRegressor

    def check_labels(self, train: "LabelledSequences", held: "LabelledSequences") -> None:
        import numpy as np

        super().check_labels(train, held)
        labels = np.concatenate([np.ravel(label) for label in np.asarray(held.labels)])
        if labels.dtype.kind not in "iuf" or not np.isfinite(labels).all():
            raise DataError("expected a finite number for each sequence")

    def judged(self, model: Any, sequences: "LabelledSequences", words: str) -> "Evaluation":
        import numpy as np

        from ostinato.jobs.figures.sequences import of_numbers

        truth = np.asarray(sequences.labels, float)
        return of_numbers(label_of(model), model.evaluate(sequences), words, truth, model.predict(sequences))

    def predict(self, model: Any, source: Any, settings: Any) -> Predictions:
        """A number for each sequence."""
        sequences = self.read(source, settings)
        columns = {**sequences.id_columns(model.per_step), "predicted": flat(model, model.predict(sequences))}
        return Predictions(columns, sequences.notes)

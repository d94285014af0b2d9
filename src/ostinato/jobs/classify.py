"""The job `classify`: sequences with a label each."""

from typing import TYPE_CHECKING, Any

from ostinato.errors import DataError
from ostinato.jobs.base import Predictions
from ostinato.jobs.sequences import SequenceJob, flat, label_of

if TYPE_CHECKING:
    from ostinato.data import LabelledSequences
    from ostinato.models import SequenceClassifier
    from ostinato.runs import Evaluation


class Classify(SequenceJob):
    """A label for each sequence."""

    name, title, plural = "classify", "Classification", "classifications"
    help = """Classify sequences of any lengths, a label each.

    A share of each class is held out, and the accuracy on it is printed beside the most frequent class, linear maps of
    values and of means, and the nearest neighbour. Without --epochs, all that is not given is chosen from the
    training part: size, direction, pooling, updates, and how much random filters beside the network say.

    Example: `ostinato fit classify train.npz --bidirectional --out runs/vowels`
    """
    by_class = True

    def estimator(self) -> "type[SequenceClassifier]":
        from ostinato.models import SequenceClassifier

        return SequenceClassifier

    def check_labels(self, train: "LabelledSequences", held: "LabelledSequences") -> None:
        import numpy as np

        super().check_labels(train, held)
        there, known = (np.concatenate([np.ravel(label) for label in np.asarray(s.labels)]) for s in (held, train))
        strange = np.setdiff1d(there, known)
        if len(strange):
            raise DataError(f"label {strange[0].item()!r} was not seen in training")

    def judged(self, model: Any, sequences: "LabelledSequences", words: str) -> "Evaluation":
        from ostinato.jobs.figures.sequences import of_classes

        return of_classes(label_of(model), model.evaluate(sequences), words)

    def predict(self, model: Any, source: Any, settings: Any) -> Predictions:
        """A label for each sequence, with the probability of every class."""
        sequences = self.read(source, settings)
        columns: dict[str, Any] = dict(sequences.id_columns(model.per_step))
        chances = flat(model, model.predict_proba(sequences))
        columns["label"] = model.classes_[chances.argmax(-1)]
        columns |= {f"p_{name}": chances[:, i] for i, name in enumerate(model.classes_.tolist())}
        return Predictions(columns, sequences.notes)

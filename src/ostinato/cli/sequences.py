"""The tasks `classify` and `regress`: labelled sequences, some of them held out, an estimator, its figures."""

from pathlib import Path
from typing import Any

import numpy as np

from ostinato.cli.verdicts import of_classes, of_numbers
from ostinato.data import LabelledSequences, read_sequences
from ostinato.data.holdout import held_rows
from ostinato.errors import SettingsError
from ostinato.models import Estimator, SequenceClassifier, SequenceRegressor
from ostinato.runs import Evaluation


class Sequences:
    """What `fit`, `predict` and `evaluate` do with sequences that have a label, or a number, each."""

    asked = ()

    def read(self, path: Path, settings: Any) -> LabelledSequences:
        """The sequences in a file."""
        data = settings.data
        return read_sequences(
            path,
            series=data.series,
            time=data.time,
            label=data.label,
            numbers=settings.task == "regress",
            per_step=getattr(settings.model, "per_step", False),
        )

    def split(self, sequences: LabelledSequences, settings: Any) -> tuple[LabelledSequences, LabelledSequences | None]:
        """Those to train on, and those held out: of each class alike, or whole groups, or another file."""
        sequences.check_labels()
        test, seed = settings.data.test, settings.model.seed
        if isinstance(test, str):
            return sequences, self.read(Path(test), settings)
        if isinstance(test, bool) or not 0 <= test < 1:
            raise SettingsError(f"data.test: expected a share from 0 to below 1, or a file, got {test!r}")
        if not test:
            return sequences, None
        held = _chosen(sequences, float(test), seed, settings.task == "classify")
        rest = np.setdiff1d(np.arange(len(sequences)), held)
        return sequences.take(rest), sequences.take(held)

    def describe(self, sequences: LabelledSequences) -> dict[str, Any]:
        """The data in a few lines."""
        lengths, labels = sequences.lengths, sequences.labels
        about: dict[str, Any] = {
            "sequences": len(sequences),
            "features": sequences.values[0].shape[1] if sequences.values else 0,
            "names": sequences.names,
            "shortest": int(lengths.min()) if len(lengths) else 0,
            "longest": int(lengths.max(initial=0)),
            "missing": int(sum(np.isnan(v).sum() for v in sequences.values)),
        }
        if labels is not None and labels.ndim == 1:
            different = np.unique(np.concatenate(labels.tolist()) if sequences.per_step else labels)
            about["labels"] = len(different) if len(different) > 40 else different.tolist()
        return {name: value for name, value in about.items() if value != ()}

    def notes(self, sequences: LabelledSequences) -> tuple[str, ...]:
        """What was done to the data on the way."""
        return sequences.notes

    def train(self, model: Estimator, sequences: LabelledSequences, **options: Any) -> None:
        """Fit the model."""
        assert isinstance(model, SequenceClassifier | SequenceRegressor)
        model.fit(sequences, **options)

    def baselines(self, model: Estimator, sequences: LabelledSequences, settings: Any) -> dict[str, Estimator]:
        """None of their own: these models hold their baselines."""
        del model, sequences, settings
        return {}

    def held_out(
        self, model: Estimator, baselines: dict[str, Any], sequences: LabelledSequences, settings: Any
    ) -> Evaluation:
        """The model on what was held out."""
        of = f", of {Path(settings.data.test).name}" if isinstance(settings.data.test, str) else ""
        return self._judge(model, sequences, f"{len(sequences)} sequences that were held out{of}.")

    def unseen(self, model: Estimator, baselines: dict[str, Any], sequences: LabelledSequences) -> Evaluation:
        """The model on the sequences of a file."""
        del baselines
        sequences.check_labels()
        return self._judge(model, sequences, f"{len(sequences)} sequences.")

    def predict(self, model: Estimator, path: Path, settings: Any) -> dict[str, Any]:
        """A label with its probability, or a number, for each sequence, as columns."""
        assert isinstance(model, SequenceClassifier | SequenceRegressor)
        sequences = self.read(path, settings)
        flat = np.concatenate if model.per_step else np.asarray
        columns: dict[str, Any] = dict(sequences.id_columns(model.per_step))
        if isinstance(model, SequenceRegressor):
            return columns | {"predicted": flat(model.predict(sequences))}
        chances = flat(model.predict_proba(sequences))
        columns["label"] = model.classes_[chances.argmax(-1)]
        return columns | {f"p_{name}": chances[:, i] for i, name in enumerate(model.classes_.tolist())}

    def _judge(self, model: Estimator, sequences: LabelledSequences, words: str) -> Evaluation:
        label = str(getattr(model, "cell", type(model).__name__))
        if isinstance(model, SequenceClassifier):
            return of_classes(label, model.evaluate(sequences), words)
        assert isinstance(model, SequenceRegressor)
        truth = np.asarray(sequences.labels, float)
        return of_numbers(label, model.evaluate(sequences), words, truth, model.predict(sequences))


def _chosen(sequences: LabelledSequences, share: float, seed: int, by_class: bool) -> np.ndarray:
    """Rows to hold out: whole groups where there are groups, otherwise of each class alike."""
    classes = sequences.labels if by_class and not sequences.per_step else None
    return held_rows(
        share,
        seed,
        len(sequences),
        classes=classes,
        groups=sequences.groups,
        name="data.test",
        streams=("validation", "test"),
    )

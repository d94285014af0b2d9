"""What the jobs of labelled sequences share: reading them, holding some out, describing and judging them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ostinato.errors import DataError, OstinatoError
from ostinato.jobs import options as o
from ostinato.jobs.base import Job
from ostinato.jobs.options import NETWORK, Option

BY_DATA = "chosen by the data"

if TYPE_CHECKING:
    from ostinato.data import LabelledSequences
    from ostinato.runs import Evaluation


@dataclass(frozen=True)
class SequenceData:
    """Which columns of a table are what, and which sequences are held out: a share, or another file.

    `sha256`: of the file; `test_sha256`: of the other one.
    """

    series: str = "id"
    time: str = "time"
    label: str = "label"
    test: int | float | str = 0.2
    header: bool | None = None
    sha256: str = ""
    test_sha256: str | None = None


class SequenceJob(Job):
    """Base of the jobs that learn something of each sequence; a subclass says of what kind, and how it is judged."""

    source = "Sequences: .npz, or a table in long layout."
    data_settings = SequenceData
    by_class: ClassVar[bool] = False
    """Whether of each class the same share is held out."""
    numbers: ClassVar[bool] = False
    """Whether labels are numbers; otherwise they are text, as they stand in the file."""

    options = (
        Option("series", "Table: column that tells sequences apart.", default="id"),
        Option("time", "Table: column of times.", default="time"),
        Option("label", "Table: column of labels.", default="label"),
        Option("missing", "Allow missing values.", bool, part="model"),
        Option("test", "Held out: a share, another file, or 0.", default="0.2", read=o.amount("--test", file=True)),
        o.HEADER,
        Option("per_step", "Each step has a label of its own.", bool, part="model"),
        *o.network(hidden=BY_DATA),
        Option("bidirectional", "Read in both directions.", bool, NETWORK, default=BY_DATA, part="model"),
        Option("pool", "last, mean, max or all of them over time.", group=NETWORK, default=BY_DATA, part="model"),
        o.dropout(BY_DATA),
        *o.training(BY_DATA, "32", "0.003"),
        o.PATIENCE,
        o.validation("Held out of the training sequences, to choose by: how many, or a share.", BY_DATA),
        *o.RULE,
        o.SEED,
    )

    def read(self, source: Any, settings: Any) -> "LabelledSequences":
        """The sequences in a file, or as they are."""
        from ostinato.data import LabelledSequences, read_sequences

        if isinstance(source, LabelledSequences):
            return source
        if not isinstance(source, str | Path):
            raise DataError(f"data: expected a file or `data.LabelledSequences`, got {type(source).__name__}")
        data = settings.data
        return read_sequences(
            source,
            series=data.series,
            time=data.time,
            label=data.label,
            numbers=self.numbers,
            per_step=settings.model.per_step,
            header=data.header,
        )

    def split(self, data: "LabelledSequences", settings: Any) -> "tuple[LabelledSequences, LabelledSequences | None]":
        """Those to train on, and those held out: of each class alike, or whole groups, or another file."""
        import numpy as np

        from ostinato.data.holdout import check_amount, held_rows

        data.check_labels()
        test, seed = check_amount("data.test", settings.data.test, file=True), settings.model.seed
        if isinstance(test, str):
            return data, self.read(Path(test), settings)
        if not test:
            return data, None
        classes = data.labels if self.by_class and not data.per_step else None
        streams = ("validation", "test")
        held = held_rows(test, seed, len(data), classes=classes, groups=data.groups, name="data.test", streams=streams)
        rest = np.setdiff1d(np.arange(len(data)), held)
        return data.take(rest), data.take(held)

    def describe(self, data: "LabelledSequences") -> dict[str, Any]:
        """How many sequences of which lengths, and their labels, or between what their numbers lie."""
        import numpy as np

        lengths, labels = data.lengths, data.labels
        about: dict[str, Any] = {
            "sequences": len(data),
            "features": data.values[0].shape[1] if data.values else 0,
            "names": data.names,
            "shortest": int(lengths.min()) if len(lengths) else 0,
            "longest": int(lengths.max(initial=0)),
            "missing": int(sum(np.isnan(v).sum() for v in data.values)),
        }
        if labels is not None and labels.ndim == 1:
            different = np.unique(np.concatenate(labels.tolist()) if data.per_step else labels)
            if self.numbers:
                about["targets"] = f"{different[0]:g} to {different[-1]:g}"
            else:
                about["labels"] = len(different) if len(different) > 40 else different.tolist()
        return {name: value for name, value in about.items() if value != ()}

    def notes(self, data: "LabelledSequences") -> tuple[str, ...]:
        return data.notes

    def check(self, model: Any, train: "LabelledSequences", held: "LabelledSequences | None", settings: Any) -> None:
        """Whether the sequences of another file are such as the model can be judged on."""
        from ostinato.models.sequences.inputs import as_sequences

        if held is None:
            return
        features = as_sequences(train, missing=model.missing).features
        try:
            as_sequences(held, features=features, missing=model.missing)
            self.check_labels(train, held)
        except OstinatoError as error:
            if not isinstance(settings.data.test, str):
                raise
            raise type(error)(f"{settings.data.test}: {error}") from error

    def check_labels(self, train: "LabelledSequences", held: "LabelledSequences") -> None:
        """Raise `DataError` where what is held out has labels that cannot be judged."""
        del train
        held.check_labels()

    def evaluate(
        self, model: Any, baselines: Mapping[str, Any], held: "LabelledSequences", settings: Any
    ) -> "Evaluation":
        of = f", of {Path(settings.data.test).name}" if isinstance(settings.data.test, str) else ""
        return self.judged(model, held, f"{len(held)} sequences that were held out{of}.")

    def unseen(
        self, model: Any, baselines: Mapping[str, Any], data: "LabelledSequences", settings: Any
    ) -> "Evaluation":
        data.check_labels()
        return self.judged(model, data, f"{len(data)} sequences.")

    def judged(self, model: Any, sequences: "LabelledSequences", words: str) -> "Evaluation":
        """The figures of the model on labelled sequences; the model holds its baselines."""
        raise NotImplementedError


def label_of(model: Any) -> str:
    """What a model is called in tables."""
    return str(getattr(model, "cell", type(model).__name__))


def flat(model: Any, outputs: Any) -> Any:
    """Outputs one below the other, also where each step has one."""
    import numpy as np

    return np.concatenate(outputs) if model.per_step else np.asarray(outputs)

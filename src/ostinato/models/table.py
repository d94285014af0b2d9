"""The table of models, by the name that stands in their files."""

from collections.abc import Mapping
from pathlib import Path

from ostinato.errors import CorruptFile
from ostinato.models.base import Estimator, read_note
from ostinato.models.forecast.baselines import LinearAR, Mean, Persistence, SeasonalNaive
from ostinato.models.forecast.forecaster import Forecaster
from ostinato.models.reservoirs.esn import ESN
from ostinato.models.reservoirs.tree_esn import TreeESN
from ostinato.models.sequences.classifier import SequenceClassifier
from ostinato.models.sequences.regressor import SequenceRegressor

MODELS: dict[str, type[Estimator]] = {
    model.kind: model
    for model in (
        Forecaster,
        SequenceClassifier,
        SequenceRegressor,
        ESN,
        TreeESN,
        Persistence,
        SeasonalNaive,
        Mean,
        LinearAR,
    )
}


def load(folder: str | Path, kinds: Mapping[str, type[Estimator]] = MODELS) -> Estimator:
    """The model that was saved in a folder, whichever of the kinds it is. Raises `CorruptFile`.

    ```python
    >>> import pathlib, tempfile
    >>> folder = LinearAR(order=1).fit([1.0, 2.0, 4.0, 8.0]).save(pathlib.Path(tempfile.mkdtemp()) / "model")
    >>> model = load(folder)
    >>> model, model.predict().values.round(4).tolist()
    (LinearAR(order=1), [[[16.0]]])

    ```
    """
    kind = read_note(folder)["model"]
    if kind not in kinds:
        raise CorruptFile(f"{folder}: holds a model of kind {kind!r}, known are {', '.join(kinds)}")
    return kinds[kind].load(folder)

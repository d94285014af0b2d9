"""The table of models, by the name that stands in their files."""

from pathlib import Path

from ostinato.errors import CorruptFile

from .base import Estimator, read_note
from .baselines import LinearAR, Mean, Persistence, SeasonalNaive
from .classifier import SequenceClassifier
from .community import CommunityModel
from .esn import ESN
from .forecaster import Forecaster
from .regressor import SequenceRegressor
from .tree_esn import TreeESN

MODELS: dict[str, type[Estimator]] = {
    model.kind: model
    for model in (
        Forecaster,
        SequenceClassifier,
        SequenceRegressor,
        CommunityModel,
        ESN,
        TreeESN,
        Persistence,
        SeasonalNaive,
        Mean,
        LinearAR,
    )
}


def load_model(folder: str | Path) -> Estimator:
    """The model that was saved in a folder, whatever its kind. Raises `CorruptFile`.

    ```python
    >>> import pathlib, tempfile
    >>> folder = LinearAR(order=1).fit([1.0, 2.0, 4.0, 8.0]).save(pathlib.Path(tempfile.mkdtemp()) / "model")
    >>> model = load_model(folder)
    >>> model, model.predict().values.round(4).tolist()
    (LinearAR(order=1), [[[16.0]]])

    ```
    """
    kind = read_note(folder)["model"]
    if kind not in MODELS:
        raise CorruptFile(f"{folder}: holds a model of kind {kind!r}, known are {', '.join(MODELS)}")
    return MODELS[kind].load(folder)

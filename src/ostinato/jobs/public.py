"""The names of the room that load JAX, when the first of them is used."""

from .folder import RunRecord as RunRecord
from .verbs import anomalies as anomalies
from .verbs import evaluate as evaluate
from .verbs import explain as explain
from .verbs import predict as predict
from .verbs import run as run

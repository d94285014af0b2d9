"""Run a study by name: its claims with the machine and the time that they took."""

import time
from typing import Any

from ostinato.studies.base import StudySettings
from ostinato.studies.table import load_study


def run_study(name: str, settings: StudySettings | None = None) -> dict[str, Any]:
    """`{"study", "machine", "seconds", "claims": [...]}` as plain values for JSON; see `Claim` for a claim.

    Raises `SettingsError` for an unknown name, and what the study raises (`DataError` without its data).
    """
    # Here, because it imports JAX, and a list of the studies does without.
    from ostinato.runs.machine import describe_machine

    study = load_study(name)
    begin = time.perf_counter()
    claims = study.run(settings or StudySettings())
    seconds = time.perf_counter() - begin
    return {
        "study": name,
        "machine": describe_machine(),
        "seconds": round(seconds, 1),
        "claims": [claim.to_dict() for claim in claims],
    }

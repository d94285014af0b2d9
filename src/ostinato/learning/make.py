"""A learning rule from its name and settings, as the command line and the estimators give them."""

import inspect
from collections.abc import Mapping
from typing import Any

from ostinato.errors import SettingsError, did_you_mean
from ostinato.learning.base import GradientRule, LearningRule
from ostinato.learning.direct import UpdateRule
from ostinato.learning.table import RULES


def make_rule(rule: str | LearningRule, settings: Mapping[str, Any] | None = None) -> GradientRule | UpdateRule:
    """The rule of a name in `RULES` with settings such as `{"window": 20}`, or the rule itself.

    Raises `SettingsError` for an unknown name or setting, and where one is missing.

    ```python
    >>> make_rule("truncated-bptt", {"window": 20})
    TruncatedBPTT(window=20, stride=20)

    ```
    """
    if not isinstance(rule, str):
        if settings:
            raise SettingsError("rule_settings: a rule that is made already brings its own")
        return _either(rule)
    if rule not in RULES:
        near = did_you_mean(rule, RULES) or f"; known are {', '.join(RULES)}"
        raise SettingsError(f"rule: no such rule {rule!r}{near}")
    settings, make = dict(settings or {}), RULES[rule].make
    known = inspect.signature(make).parameters
    for name in settings:
        if name not in known:
            raise SettingsError(f"rule_settings.{name}: no such setting of {rule}; it has {', '.join(known) or 'none'}")
    for name, parameter in known.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if plain and parameter.default is parameter.empty and name not in settings:
            raise SettingsError(f"rule_settings.{name}: {rule} needs it")
    return _either(make(**settings))


def _either(rule: LearningRule) -> GradientRule | UpdateRule:
    if not isinstance(rule, GradientRule | UpdateRule):
        raise SettingsError(f"rule: expected one that gives gradients or changes weights itself, got {rule!r}")
    return rule

"""The training loop: batches in, a trained model out; validation, early stopping, and a run folder to resume from."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import PyTree

from ostinato.data import Examples, stream
from ostinato.errors import CorruptFile, Interrupted, NonFiniteError, SettingsError
from ostinato.learning import BPTT, GradientRule, UpdateRule
from ostinato.learning.base import is_causal, is_per_sequence
from ostinato.runs.checkpoint import Checkpoint, latest, save_checkpoint, save_weights
from ostinato.runs.manifest import environment
from ostinato.runs.run import Run
from ostinato.runs.signals import Stopper
from ostinato.training.bar import watched
from ostinato.training.direct import DirectUpdate
from ostinato.training.guard import MOST_IN_A_ROW, POLICIES, Policy, trace_back
from ostinato.training.history import History
from ostinato.training.parallel import replicate
from ostinato.training.progress import Event, Progress
from ostinato.training.shared import shared_update
from ostinato.training.update import Update, kernel_paths
from ostinato.training.window import WINDOW, Feed, TrainState

ADAM = optax.adam(1e-3)


@runtime_checkable
class BatchSource(Protocol):
    """`len(batches)` batches per epoch, and any of them as a pure function of the step.

    Those that have `stored` too (see `data.stored.Storable`) are gathered on the device, many steps in one call.
    """

    def __len__(self) -> int: ...

    def at(self, step: int) -> Examples: ...


class FitResult(NamedTuple):
    """What `fit` gives back.

    * `model`: the best one where `validate` was given, otherwise the last; `last`: always the last.
    * `best`: `{"step": ..., <the validation metrics of that step>}`, empty without validation.
    * `history`: one record for each evaluation: `step`, `epoch`, `loss` (mean over the steps since the last one),
      `metrics`, `seconds`, and with a direct rule `measured`, what it measured in the last step.
    * `steps`: how many were made; `stopped`: `"steps"`, `"patience"`, or the reason that a direct rule gave (see its
      `ends`); `skipped`: steps whose update was dropped.
    * `compilations`: one for each shape of batch that was not met before with this model, loss, rule and optimiser.
    """

    model: Any
    last: Any
    best: dict[str, float]
    history: History
    steps: int
    stopped: str
    skipped: list[int]
    compilations: int

    def __repr__(self) -> str:
        loss = f"loss {self.history[-1]['loss']:.4g}" if self.history else "no evaluation"
        best = f", best {self.best}" if self.best else ""
        return f"FitResult({self.steps} steps, {loss}, stopped: {self.stopped}{best})"


def fit(
    model: Any,
    batches: BatchSource,
    *,
    loss: Callable[..., Any],
    rule: GradientRule | UpdateRule | None = None,
    optimizer: optax.GradientTransformation | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    chunk: int | None = None,
    validate: Callable[[Any], Mapping[str, Any]] | None = None,
    patience: int | None = None,
    every: int | None = None,
    seed: int = 0,
    run: Run | None = None,
    callback: Callable[[Event], None] | None = None,
    on_nonfinite: Policy = "stop",
    constrain: Callable[[Any], Any] | None = None,
    devices: int | None = None,
    progress: bool | None = None,
) -> FitResult:
    r"""Train a model: for each step one batch, its gradients by the rule, one Optax update.

    With an `UpdateRule` (genetic algorithm, Kalman filter, ridge) a step is the rule's own; it takes no `optimizer`,
    `chunk` and `constrain`, and its carry stands where the optimiser's state does.

    * `loss(y, target)`: for one step of one sequence (see `ostinato.losses`); weighted by the batch and summed.
    * `rule`: default `BPTT()`. `optimizer`: any Optax transformation, default `optax.adam(1e-3)`; clip with
      `optax.chain(optax.clip_by_global_norm(1.0), ...)`.
    * `steps` or `epochs` (of `len(batches)` steps): how long; exactly one of them.
    * `chunk`: each batch is cut into pieces of so many time steps, with an update for each, the state running through.
    * `validate(model) -> {"name": number, ...}`: asked every `every` steps (default: once an epoch) and at the end; its
      first entry is minimised. `patience`: stop after so many evaluations without an improvement.
    * `seed`: of all noise; step t draws from `stream(seed, "noise", t)`.
    * `run`: a folder for the log, checkpoints and, with `validate`, the best weights. Training goes on from the last
      whole checkpoint in it, bit for bit on the same machine (CPU), and stops on SIGTERM with a checkpoint and
      `Interrupted`.
    * `callback(event)`: told every few steps what an `Event` holds: step, loss, metrics.
    * `progress`: whether a bar is drawn on standard error. None: on a terminal and in a notebook, where there is no
      callback; otherwise the library prints nothing.
    * `on_nonfinite`: `"stop"` (default) keeps the last good weights and raises; `"skip"` drops that update;
      `"rollback"` goes on after that batch with the weights and optimiser state of the last evaluation.
    * `constrain(model) -> model`: applied after each update, e.g. a bound on recurrent weights.
    * `devices`: how many of JAX's devices share each batch; default one.

    Raises `SettingsError`; `UnsupportedRule` before anything is trained; `NonFiniteError` with step, batch, seed,
    first layer and time step; `Interrupted`; `StorageError`; `CorruptFile` where no checkpoint of the run can be used.

    ```python
    >>> import jax, jax.numpy as jnp, ostinato as ost
    >>> from ostinato.data import FunctionBatches
    >>> def make(key):
    ...     xs = jax.random.normal(key, (8, 6, 1))
    ...     return ost.Examples(ost.SequenceBatch(xs), jnp.cumsum(xs, axis=1), jnp.full((8, 6), 1 / 48))
    >>> model = ost.RNN("elman", 1, 4, output_size=1, key=jax.random.key(0))
    >>> result = ost.fit(model, FunctionBatches(make, 10), loss=ost.losses.squared, epochs=3)
    >>> result.steps, result.history[-1]["loss"] < result.history[0]["loss"]
    (30, True)

    ```
    """
    total = _total(batches, steps, epochs)
    every = len(batches) if every is None else every
    rule = BPTT() if rule is None else rule
    _check(model, rule, chunk, patience, validate, every, on_nonfinite)
    feed = Feed(batches, devices)
    options: dict[str, Any] = {"rule": rule, "loss": loss, "freeze": on_nonfinite != "skip", "gathers": feed.gathers}
    if isinstance(rule, UpdateRule):
        _check_direct(rule, optimizer=optimizer, chunk=chunk, constrain=constrain)
        opt_state = rule.init(model, stream(seed, "rule"))
        update = shared_update(DirectUpdate, model, opt_state, **options)
    else:
        optimizer = ADAM if optimizer is None else optimizer
        opt_state = optimizer.init(eqx.filter(model, eqx.is_inexact_array))
        options |= {"optimizer": optimizer, "chunk": chunk, "constrain": constrain}
        update = shared_update(Update, model, opt_state, **options)
    loop = _Loop(
        update,
        batches,
        feed,
        Progress(seed=seed),
        total,
        every,
        run,
        on_nonfinite,
        validate,
        patience,
        callback,
        devices,
    )
    stopping = run.stopping() if run is not None else contextlib.nullcontext()
    with stopping as stopper, watched(progress, callback) as loop.callback:
        loop.begin(model, opt_state)
        loop.go(stopper)
    return loop.result()


class _Loop:
    """One call of `fit`: what it was asked for, and where it stands."""

    def __init__(
        self,
        update: Update | DirectUpdate,
        batches: BatchSource,
        feed: Feed,
        progress: Progress,
        total: int,
        every: int,
        run: Run | None,
        policy: Policy,
        validate: Callable[[Any], Mapping[str, Any]] | None,
        patience: int | None,
        callback: Callable[[Event], None] | None,
        devices: int | None,
    ):
        self.update, self.batches, self.at, self.total, self.every = update, batches, progress, total, every
        self.run, self.policy, self.validate, self.patience = run, policy, validate, patience
        self.feed, self.callback, self.devices = feed, callback, devices
        self.best: Any = None
        self.back: Any = None
        self.history: list[dict[str, Any]] = []
        self.kernels: dict[str, str] = {}
        self.measured: dict[str, float] = {}
        self.noise = replicate(jax.random.key_data(stream(progress.seed, "noise")), devices)
        self.traces = update.traces
        self.moving: TrainState
        self._best_written = False
        self._saved_at = self._began = time.monotonic()

    def begin(self, model: PyTree[Any], opt_state: PyTree[Any]) -> None:
        """From the start, or from the run's last whole checkpoint."""
        found, notes = None, []
        if self.run is not None:
            trees = {"best": model, "rollback": (model, opt_state)}
            found, notes = latest(self.run.checkpoints, model, opt_state, trees=trees)
        if found is not None:
            model, opt_state = found.model, found.opt_state
            self._restore(found)
        self.back = (model, opt_state) if self.back is None and self.policy == "rollback" else self.back
        self.moving = replicate(self.update.start(model, opt_state), self.devices)
        if self.run is None:
            return
        damaged = self.run.log.rewind(self.at.step)
        self.history = [_evaluation(r) for r in self.run.log.records() if r.get("kind") == "evaluation"]
        notes += [f"log.jsonl: {damaged} damaged lines dropped"] if damaged else []
        notes += [] if found is None else _elsewhere(found.environment)
        for note in notes:
            self._note("warning", message=note)
        if self.at.step < self.total:
            rows = math.prod(self.batches.at(self.at.step).inputs.batch_shape)
            self.kernels = kernel_paths(model, rows)
        self._note("start" if found is None else "resume", kernels=self.kernels)

    def go(self, stopper: Stopper | None) -> None:
        """Step after step, until the end, patience, a signal or a number that is not finite."""
        pending = 0
        asked = lambda: stopper is not None and stopper.caught is not None
        while self.at.step < self.total and not self.at.stopped:
            step = self.at.step
            most = 1 if asked() else WINDOW - pending
            count = min(self.feed.most, most, self.every - step % self.every, self.total - step)
            self.moving = self.update(self.moving, self.feed.send(step, count), self.noise, step, pending)
            self.at.step, pending = step + count, pending + count
            if pending < WINDOW and not asked() and not self._due():
                continue
            self._fetch(pending)
            pending = 0
            if self._due() or self.at.stopped:
                self._evaluate()
            else:
                self._tell("steps", None)
            ended = self.at.step >= self.total or bool(self.at.stopped)
            if not ended and self.run is not None:
                leave = asked()
                if leave or time.monotonic() - self._saved_at >= self.run.save_seconds:
                    self._save()
                if leave:
                    self._interrupt(stopper)
        if not self.at.stopped:
            self.at.stopped = "steps"
        self._end()

    def result(self) -> FitResult:
        last = self.update.state(self.moving)[0]
        best = {"step": self.at.best_step, **self.at.best_metrics} if self.best is not None else {}
        model = last if self.best is None else self.best
        at = self.at
        return FitResult(
            model,
            last,
            best,
            History(self.history),
            at.step,
            at.stopped,
            list(at.skipped),
            self.update.traces - self.traces,
        )

    def _due(self) -> bool:
        return self.at.step % self.every == 0 or self.at.step >= self.total

    def _fetch(self, pending: int) -> None:
        """Losses of the steps that were sent off; waits for them."""
        moving = self.moving
        losses, bad = (np.asarray(a)[:pending] for a in (moving.losses, moving.bad))
        measured, ends = jax.tree.map(np.asarray, (moving.measured, moving.ends))
        first = self.at.step - pending
        for i in range(pending):
            if not bad[i]:
                self.at.count(float(losses[i]))
                self.measured = {name: float(values[i]) for name, values in measured.items()}
                if reasons := [name for name, values in ends.items() if values[i]]:
                    self.at.step, self.at.stopped = first + i + 1, reasons[0]
                    return
            elif self.policy == "skip":
                self._skip(first + i, float(losses[i]))
            else:
                self.at.step = first + i
                self._stop_or_go_back(float(losses[i]))
                return
        if self.at.in_a_row >= MOST_IN_A_ROW:
            self._refuse(self.at.skipped[-1], f"{self.at.in_a_row} batches in a row")

    def _skip(self, step: int, loss: float) -> None:
        self.at.skip(step)
        self._note("skipped", at=step, loss=loss)

    def _stop_or_go_back(self, loss: float) -> None:
        """Nothing was taken over since the bad step: the state is the one just before it."""
        step = self.at.step
        if self.policy == "stop":
            self._refuse(step, f"loss {loss}")
        self.at.skip(step)
        self.at.step = step + 1
        self._note("rollback", at=step, loss=loss)
        if self.at.in_a_row >= MOST_IN_A_ROW:
            self._refuse(step, f"{self.at.in_a_row} batches in a row")
        self.moving = replicate(self.update.start(*self.back), self.devices)

    def _refuse(self, step: int, what: str) -> None:
        kept = f"; the weights before it are kept in {self._save()}" if self.run is not None else ""
        model, opt_state = self.update.state(self.moving)
        key = jax.random.fold_in(jax.random.wrap_key_data(self.noise), step)
        where = trace_back(self.update, model, opt_state, self.batches.at(step), key)
        batch = f"batch {step % len(self.batches)} of epoch {step // len(self.batches)}"
        self._note("nonfinite", at=step, message=where)
        raise NonFiniteError(
            f"step {step}: not finite ({what}); {where}; {batch}, noise stream({self.at.seed}, 'noise', {step}){kept}"
        )

    def _evaluate(self) -> None:
        model, opt_state = self.update.state(self.moving)
        if self.policy == "rollback":
            self.back = (model, opt_state)
        metrics = {} if self.validate is None else {str(k): float(v) for k, v in self.validate(model).items()}
        if self.validate is not None and not metrics:
            raise SettingsError("validate: expected at least one number to minimise, got none")
        if self.at.judge(metrics, self.patience):
            self.best, self._best_written = model, False
        record = {"step": self.at.step, "epoch": self._epoch(), "loss": self.at.mean_loss(), "metrics": metrics}
        record |= {"seconds": self._seconds()} | ({"measured": self.measured} if self.measured else {})
        self.history.append(record)
        if self.run is not None:
            self.run.log.write({"kind": "evaluation", **record})
        self._tell("evaluation", record["loss"], metrics)

    def _save(self) -> str:
        """A checkpoint, after all that it presupposes."""
        assert self.run is not None
        self.at.seconds, self._began = self._seconds(), time.monotonic()
        self.run.log.sync()
        model, opt_state = self.update.state(self.moving)
        trees = {} if self.best is None else {"best": self.best}
        if self.policy == "rollback":
            trees["rollback"] = self.back
        extra = {
            "progress": self.at.to_json(),
            "epoch": self._epoch(),
            "settings": self.run.settings,
            "kernels": self.kernels,
        }
        path = save_checkpoint(
            self.run.checkpoints, self.at.step, model, opt_state, extra, trees=trees, keep=self.run.keep
        )
        if self.best is not None and not self._best_written:
            save_weights(self.run.best, self.best, {"step": self.at.best_step, "metrics": self.at.best_metrics})
            self._best_written = True
        self._saved_at = time.monotonic()
        return str(path)

    def _interrupt(self, stopper: Stopper | None) -> None:
        assert stopper is not None
        assert self.run is not None
        self._note("interrupted", signal=stopper.caught)
        raise Interrupted(
            f"{stopper.caught}: stopped after step {self.at.step} of {self.total}, with a checkpoint; "
            f"start it again with the folder {self.run.folder} to go on"
        )

    def _end(self) -> None:
        if self.run is None:
            return
        self._save()
        last = self.history[-1] if self.history else {}
        best = {"step": self.at.best_step, **self.at.best_metrics} if self.best is not None else {}
        summary = {
            "steps": self.at.step,
            "stopped": self.at.stopped,
            "best": best,
            "last": last,
            "skipped": self.at.skipped,
        }
        self.run.write_metrics(summary)
        self._note("end", stopped=self.at.stopped)

    def _restore(self, found: Checkpoint) -> None:
        seed = self.at.seed
        self.at = Progress.from_json(found.extra.get("progress"), found.path)
        if self.at.seed != seed:
            raise SettingsError(f"seed: {found.path} was made with {self.at.seed}, {seed} asked for")
        if found.step != self.at.step:
            raise CorruptFile(f"{found.path}: of step {found.step}, but says {self.at.step}")
        self.best, self.back = found.trees.get("best"), found.trees.get("rollback")
        if self.at.stopped == "steps" and self.at.step < self.total:
            self.at.stopped = ""

    def _epoch(self) -> float:
        return self.at.step / len(self.batches)

    def _seconds(self) -> float:
        return self.at.seconds + time.monotonic() - self._began

    def _note(self, kind: str, **entries: Any) -> None:
        if self.run is not None:
            self.run.log.write({"kind": kind, "step": self.at.step, **entries})
        self._tell(kind, None, message=str(entries.get("message", "")))

    def _tell(self, kind: str, loss: float | None, metrics: dict[str, float] | None = None, message: str = "") -> None:
        if self.callback is not None:
            loss = self.at.last_loss if loss is None else loss
            self.callback(
                Event(kind, self.at.step, self.total, self._epoch(), loss, metrics or {}, self._seconds(), message)
            )


def _total(batches: BatchSource, steps: int | None, epochs: float | None) -> int:
    if (steps is None) == (epochs is None):
        raise SettingsError("steps, epochs: expected exactly one of them")
    if len(batches) < 1:
        raise SettingsError("batches: expected at least one, got none")
    total = steps if steps is not None else round((epochs or 0) * len(batches))
    if total < 0:
        raise SettingsError(f"{'steps' if steps is not None else 'epochs'}: expected 0 or more, got {steps or epochs}")
    return total


def _check(
    model: Any,
    rule: GradientRule | UpdateRule,
    chunk: int | None,
    patience: int | None,
    validate: Any,
    every: int,
    policy: str,
) -> None:
    rule.check(model)
    if policy not in POLICIES:
        raise SettingsError(f"on_nonfinite: expected one of {', '.join(POLICIES)}, got {policy!r}")
    if every < 1:
        raise SettingsError(f"every: expected 1 step or more, got {every}")
    if patience is not None and (patience < 1 or validate is None):
        raise SettingsError("patience: expected 1 or more evaluations, and validate to be given")
    if chunk is not None and chunk < 1:
        raise SettingsError(f"chunk: expected 1 step or more, got {chunk}")
    if chunk is not None and (is_per_sequence(model) or not is_causal(model)):
        raise SettingsError("chunk: a model that needs the whole sequence cannot be trained on pieces of it")


def _check_direct(rule: UpdateRule, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise SettingsError(f"{name}: {type(rule).__name__} changes the weights itself, on whole batches")


def _evaluation(record: dict[str, Any]) -> dict[str, Any]:
    """A record of the log as it was before it was written: `float` reads back what is not finite."""
    metrics = {str(k): float(v) for k, v in dict(record.get("metrics", {})).items()}
    numbers = {k: float(record.get(k, "nan")) for k in ("epoch", "loss", "seconds")}
    measured = {str(k): float(v) for k, v in dict(record.get("measured", {})).items()}
    found = {"step": record["step"], **numbers, "metrics": metrics}
    return found | ({"measured": measured} if measured else {})


def _elsewhere(before: dict[str, Any]) -> list[str]:
    """What has changed since a checkpoint was made that may change the bits."""
    now = environment()
    names = [k for k in now if k not in ("system", "python") and before.get(k) != now[k]]
    changes = ", ".join(f"{k} {before.get(k)} is now {now[k]}" for k in names)
    return [f"resumed under other circumstances, bits may differ: {changes}"] if names else []

"""`Clock`: conversion between updates and the units in which a run is planned."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import ceil

from funcsched.combinators.update_sizes import UpdateSizes
from funcsched.core.schedule import Schedule, as_schedule
from funcsched.core.validation import boolean, concrete_nonnegative_int, concrete_positive_int, one_of, optional
from funcsched.core.value import Value
from funcsched.units.epochs import samples_per_epoch
from funcsched.units.quantities import (
    UNITS,
    exact,
    require,
    require_ramp_within_run,
    single_count,
    validated_run,
    validated_update_size,
)
from funcsched.units.rampup import rampup
from funcsched.units.schedule import exact_length, schedule_of_samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, NoReturn

    from funcsched.units.quantities import Number, Ramp

_optional_positive_int = optional(concrete_positive_int)
_epoch_end = one_of("update", "drop", "join")
_unit = one_of(*UNITS, "fraction")


class Clock(Value):
    """Converts samples, tokens, epochs and fractions of a run to updates, and updates to these units.

    A step is the number of updates already made. `steps` returns the first step at which a count is reached:
    ``clock.samples(clock.steps(samples=n) - 1) < n <= clock.samples(clock.steps(samples=n))``, and likewise for the
    other units. The arithmetic is exact. A float is read as the smallest number that rounds to it, so 0.1 of 1000
    updates is 100 updates, not 101.

    A schedule that is built from these steps is a curve over updates. If the batch size changes during the run, it is
    a different curve over tokens. For a curve over tokens, build the schedule in tokens and convert it with `schedule`.

    Args:
        batch_size: samples per batch on one process (int, 1 to 2**53). May be omitted if `samples_per_update` is given.
        accumulation: batches per update on each process, the gradient accumulation steps (int, 1 to 2**53, default 1).
        processes: number of processes that receive different samples, the data-parallel size (int, 1 to 2**53, default
            1). Processes that share their samples (tensor or pipeline parallelism) count as one.
        samples_per_update: samples per update over all processes, the global batch size; replaces `accumulation`
            (default: ``batch_size * accumulation * processes``). Either an int from 1 to 2**53, or a ramp
            ``{unit: [(0, size), (count, size), ...]}`` with increasing counts: an update that begins at or after
            `count` uses the size next to it. The unit is "updates", "samples", "tokens" or "epochs". Every size is a
            number of samples and a multiple of ``batch_size * processes``. `Clock.rampup` builds Megatron's ramp.
        sequence_length: tokens per sample (int, 1 to 2**53). Required to count tokens. If it changes during the run,
            use ``sequence_length=1`` and give all sizes in tokens.
        dataset_size: samples in the dataset (int, 1 to 2**53). Required to count epochs.
        drop_last: whether to drop the samples at the end of an epoch that do not fill a batch on every process (bool,
            default False). If `batch_size` is omitted, a batch is a full update; with a ramp, `batch_size` is required.
        epoch_end: what happens at the end of an epoch to batches that are too few for a full update (str). "update",
            the default, makes a smaller update from them. "drop" drops them; it cannot be combined with a ramp. "join"
            completes the update with samples of the next epoch. Dropped samples are not counted, and they are not part
            of the epoch.
        run: the planned length of the run, ``{unit: count}`` in one unit, such as ``{"tokens": 300_000_000_000}``. The
            unit is "updates", "samples", "tokens" or "epochs"; the count is above 0 and at most 2**53, and an integer
            except for epochs. Required for `total_steps` and for fractions, which are fractions of this count. Every
            size of a ramp begins within the run.

    Returns:
        An immutable value: hashable, picklable, equal to every Clock with equal arguments, and printed as the
        expression that builds it.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or an argument that it requires is
            missing.

    In other libraries these are as follows; "(your code)" is not a setting of the library, "(derived)" follows from
    other settings, and "-" is not supported::

        Clock               torch         HF Trainer                   Megatron-LM         Composer
        batch_size          batch_size    per_device_train_batch_size  micro-batch-size    microbatch size
        accumulation        (your code)   gradient_accumulation_steps  (derived)           (derived)
        processes           num_replicas  world size                   data-parallel size  world size
        samples_per_update  (your code)   (derived)                    global-batch-size   global batch size
        ... as a ramp       (your code)   -                            rampup-batch-size   -
        sequence_length     (your code)   (your code)                  seq-length          (your code)
        dataset_size        len(dataset)  len(train_dataset)           -                   len(dataset)
        drop_last           drop_last     dataloader_drop_last         (always full)       drop_last
        epoch_end           (your code)   "update"                     "join"              "update"
        run in updates      (your code)   max_steps                    train-iters         "1000ba"
        run in samples      (your code)   -                            train-samples       "1000sp"
        run in tokens       (your code)   -                            -                   "1000tok"
        run in epochs       (your code)   num_train_epochs             -                   "3ep"
        fraction            (your code)   warmup_steps below 1         lr-warmup-fraction  "0.1dur"

    Lightning and Accelerate end an epoch like HF Trainer. A training loop that updates after every `accumulation`
    batches, and restarts its count in each epoch, is "drop". HF Trainer computes fractions, and fractional
    epochs, from the number of updates; give `run` in updates to reproduce them. Megatron's ``lr-warmup-fraction`` is a
    fraction of ``lr-decay-iters``. Samples that a sampler repeats to fill the last batch are not counted.

    Example:
        >>> import funcsched as fs
        >>> clock = fs.Clock(batch_size=8, accumulation=4, processes=16, sequence_length=2048, run={"tokens": 300e9})
        >>> clock.tokens(1), clock.total_steps
        (1048576, 286103)
        >>> schedule = fs.warmup_cosine(clock.steps(tokens=375e6), clock.steps(tokens=260e9), end=0.1)
        >>> schedule
        warmup_cosine(warmup_steps=358, total_steps=247956, end=0.1)
        >>> clock.steps(fraction=0.1)
        28611
        >>> fs.Clock(batch_size=4, accumulation=2, dataset_size=18).steps(epochs=3)  # updates of 8, 8 and 2 samples
        9
        >>> fs.Clock(samples_per_update={"samples": [(0, 4), (10, 8)]}).samples(5)  # updates of 4, 4, 4, 8 and 8
        28

    Source: PyTorch 2.13 DataLoader and DistributedSampler, transformers 5.23
    Trainer.set_initial_training_values, Megatron-Core 0.16 num_microbatches_calculator, Composer 0.32 composer.Time.
    """

    batch_size: int | None
    accumulation: int
    processes: int
    sequence_length: int | None
    dataset_size: int | None
    drop_last: bool
    epoch_end: str
    _samples_per_update: int | Ramp | None
    _run: tuple[str, Number] | None
    _samples_per_epoch: int | None
    _update_sizes: UpdateSizes

    def __init__(
        self,
        *,
        batch_size: int | None = None,
        accumulation: int = 1,
        processes: int = 1,
        samples_per_update: int | Mapping[str, Iterable[tuple[Number, int]]] | None = None,
        sequence_length: int | None = None,
        dataset_size: int | None = None,
        drop_last: bool = False,
        epoch_end: str = "update",
        run: Mapping[str, Number] | None = None,
    ) -> None:
        vars(self).update(  # because attributes cannot be assigned
            batch_size=_optional_positive_int("Clock", "batch_size", batch_size),
            accumulation=concrete_positive_int("Clock", "accumulation", accumulation),
            processes=concrete_positive_int("Clock", "processes", processes),
            sequence_length=_optional_positive_int("Clock", "sequence_length", sequence_length),
            dataset_size=_optional_positive_int("Clock", "dataset_size", dataset_size),
            drop_last=boolean("Clock", "drop_last", drop_last),
            epoch_end=_epoch_end("Clock", "epoch_end", epoch_end),
        )
        batch = (self.batch_size or 1) * self.processes
        given = validated_update_size(samples_per_update, self.batch_size, self.accumulation, self.processes)
        if isinstance(given, tuple):
            unit, ramp = given
        else:  # a ramp with a single size
            unit, ramp = "updates", ((0, given or batch * self.accumulation),)
        initial_size = ramp[0][1]
        epoch = samples_per_epoch(
            self.dataset_size,
            batch=None if self.batch_size is None else batch,
            update=None if isinstance(given, tuple) else initial_size,
            drop_last=self.drop_last,
            epoch_end=self.epoch_end,
        )
        sizes = UpdateSizes(initial_size, None if self.epoch_end == "join" else epoch)
        vars(self).update(_samples_per_update=given, _samples_per_epoch=epoch, _update_sizes=sizes)
        for count, size in ramp[1:]:  # `_first_step` uses the phases before
            sizes.add_phase(self._first_step("Clock", unit, count), size)
        vars(self).update(_run=None if run is None else validated_run(run))
        if self._run is not None:
            total = self._first_step("Clock", *self._run)  # raises if an argument that the unit requires is missing
            require_ramp_within_run(unit, ramp, sizes.first_updates, total)

    # A Value is compared and printed by these names and defaults of the arguments.
    factory = "Clock"
    defaults = __init__.__kwdefaults__ or {}
    fields = tuple(defaults)

    @property
    def samples_per_update(self) -> int | dict[str, list[tuple[Number, int]]] | None:
        """The samples per update or the ramp, as given."""
        given = self._samples_per_update
        return {given[0]: list(given[1])} if isinstance(given, tuple) else given

    @property
    def run(self) -> dict[str, Number] | None:
        """The length of the run, as given."""
        return None if self._run is None else dict([self._run])

    @property
    def total_steps(self) -> int:
        """The number of updates in the run (int), equal to ``steps(fraction=1)``.

        Raises:
            ValueError: the clock has no `run`.

        Example:
            >>> import funcsched as fs
            >>> fs.Clock(batch_size=8, run={"samples": 17}).total_steps
            3
        """
        name = "Clock.total_steps"
        return self._first_step(name, *require(name, "run", "the updates of the run", self._run))

    def steps(
        self,
        *count: NoReturn,
        updates: Number | None = None,
        samples: Number | None = None,
        tokens: Number | None = None,
        epochs: Number | None = None,
        fraction: Number | None = None,
    ) -> int:
        """The smallest number of updates that reaches a count, given in exactly one unit.

        Args:
            count: not allowed. A number without a unit raises, because 1 could be one update or the whole run.
            updates: number of updates, returned as an int (an integer from 0 to 2**53; a float such as 3e5 is allowed).
            samples: number of samples (an integer from 0 to 2**53; a float such as 3e5 is allowed).
            tokens: number of tokens (an integer from 0 to 2**53; a float such as 3e9 is allowed).
            epochs: number of epochs (int, float or `fractions.Fraction`, 0 to 2**53).
            fraction: fraction of `run`, in the unit of `run` (int, float or `fractions.Fraction`, 0 to 1).

        Returns:
            A step (int), for arguments of schedules such as `warmup_steps` and `total_steps`.

        Raises:
            TypeError, ValueError: the count is not given in exactly one unit, has the wrong type or is out of range, or
                the clock lacks an argument that the unit requires.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100, run={"epochs": 3})  # the last update of an epoch has 4
            >>> [clock.steps(samples=n) for n in (0, 1, 96, 97, 100, 101)]
            [0, 1, 12, 13, 13, 14]
            >>> clock.steps(epochs=3) == clock.steps(fraction=1) == clock.total_steps == 39
            True
            >>> clock.steps(1)
            Traceback (most recent call last):
            ...
            TypeError: Clock.steps: `count` must be given with a unit, got 1; use steps(updates=1) or steps(fraction=1)
        """
        counts = {"updates": updates, "samples": samples, "tokens": tokens, "epochs": epochs, "fraction": fraction}
        return self._first_step("Clock.steps", *single_count(count, counts))

    def samples(self, step: int) -> int:
        """The number of samples used by the first `step` updates.

        Args:
            step: number of updates already made (int, 0 to 2**53).

        Returns:
            A number of samples (int).

        Raises:
            TypeError, ValueError: `step` has the wrong type or is out of range.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100)
            >>> clock.samples(12), clock.samples(13), clock.samples(14)
            (96, 100, 108)
        """
        return self._samples("Clock.samples", step)

    def tokens(self, step: int) -> int:
        """The number of tokens used by the first `step` updates.

        Args:
            step: number of updates already made (int, 0 to 2**53).

        Returns:
            A number of tokens (int).

        Raises:
            TypeError, ValueError: `step` has the wrong type or is out of range, or the clock has no `sequence_length`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, sequence_length=1024)
            >>> clock.tokens(clock.steps(tokens=10_000))
            16384
        """
        name = "Clock.tokens"
        sequence_length: int = require(name, "sequence_length", "tokens", self.sequence_length)
        return self._samples(name, step) * sequence_length

    def epochs(self, step: int) -> float:
        """The number of epochs completed by the first `step` updates, including the fraction of the current one.

        Args:
            step: number of updates already made (int, 0 to 2**53).

        Returns:
            A number of epochs (float), correctly rounded: ``steps(epochs=epochs(step)) == step``.

        Raises:
            TypeError, ValueError: `step` has the wrong type or is out of range, or the clock has no `dataset_size`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100)
            >>> clock.epochs(13), clock.epochs(14)
            (1.0, 1.08)
        """
        name = "Clock.epochs"
        epoch: int = require(name, "dataset_size", "epochs", self._samples_per_epoch)
        return self._samples(name, step) / epoch

    def fraction(self, step: int) -> float:
        """The fraction of the run completed by the first `step` updates, in the unit of `run`.

        Args:
            step: number of updates already made (int, 0 to 2**53).

        Returns:
            A number from 0 to 1 (float), correctly rounded: ``steps(fraction=fraction(step)) == step`` up to
            `total_steps`. It stays 1 after the end of the run.

        Raises:
            TypeError, ValueError: `step` has the wrong type or is out of range, or the clock has no `run`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, run={"samples": 20})
            >>> [clock.fraction(step) for step in (0, 1, 2, 3, 4)]
            [0.0, 0.4, 0.8, 1.0, 1.0]
        """
        name = "Clock.fraction"
        unit, total = require(name, "run", "fractions of the run", self._run)
        step = concrete_nonnegative_int(name, "step", step)
        done = Fraction(step) if unit == "updates" else self._samples(name, step) / self._samples_per(name, unit)
        return float(min(done / exact(total), Fraction(1)))

    def schedule(self, schedule: Schedule | Callable[[Any], Any], unit: str) -> Schedule:
        """Convert a schedule that counts in another unit to a schedule of updates.

        ``schedule(clock.tokens(step))``, and likewise for the other units

        Args:
            schedule: a schedule whose lengths are numbers of tokens, samples or epochs, or a function of such a number.
                For "fraction" the run has length 1: stretch a schedule in percent by 0.01.
            unit: "updates", "samples", "tokens", "epochs" or "fraction" (of `run`, in its unit).

        Returns:
            A schedule, exact also where the batch size changes: a `count_by` of plain numbers, which needs no clock to
            print, serialize or run under jit. Counts continue after the end of the run, so the fraction exceeds 1.

        Raises:
            TypeError, ValueError: `schedule` is not callable, the unit is unknown, or the clock lacks an argument that
                the unit requires.

        Example:
            >>> import funcsched as fs
            >>> ramp = {"samples": [(0, 4), (40, 8)]}
            >>> clock = fs.Clock(samples_per_update=ramp, sequence_length=100, dataset_size=80)
            >>> schedule = clock.schedule(fs.warmup_linear(4_000, 12_000), "tokens")
            >>> schedule
            count_by(schedule=warmup_linear(warmup_steps=4000, total_steps=12000), sizes=(400, 800), boundaries=(10,))
            >>> [schedule(step) for step in (0, 5, 10, 15, 20)]
            [0.0, 0.5, 1.0, 0.5, 0.0]
            >>> [clock.schedule(fs.step_decay(1), "epochs")(step) for step in (14, 15)]
            [1.0, 0.1]
        """
        name = "Clock.schedule"
        inner = as_schedule(name, "schedule", schedule)
        per = Fraction(1)
        if _unit(name, "unit", unit) == "updates":
            return inner
        if unit == "fraction":
            unit, total = require(name, "run", "fractions of the run", self._run)
            per = exact_length(name, total)
        if unit == "updates":
            return schedule_of_samples(inner, UpdateSizes(1, None), per)
        return schedule_of_samples(inner, self._update_sizes, per * self._samples_per(name, unit))

    rampup = staticmethod(rampup)

    def __hash__(self) -> int:
        hashable = {**self.arguments(), "samples_per_update": self._samples_per_update, "run": self._run}
        return hash((self.factory, *hashable.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self.arguments()), ()  # because the arguments are keyword-only

    def _samples(self, function: str, step: Any) -> int:
        return self._update_sizes.count_after(concrete_nonnegative_int(function, "step", step))

    def _first_step(self, function: str, unit: str, count: Number) -> int:
        """The first step at which a valid count is reached."""
        exact_count = exact(count)
        if unit == "fraction":
            unit, total = require(function, "run", "fractions of the run", self._run)
            exact_count *= exact(total)
        if unit == "updates":
            return ceil(exact_count)
        return self._update_sizes.updates_for(ceil(exact_count * self._samples_per(function, unit)))

    def _samples_per(self, function: str, unit: str) -> Fraction:
        """The number of samples in one sample, token or epoch."""
        if unit == "tokens":
            return Fraction(1, require(function, "sequence_length", unit, self.sequence_length))
        if unit == "epochs":
            return Fraction(require(function, "dataset_size", unit, self._samples_per_epoch))
        return Fraction(1)

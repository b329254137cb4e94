"""Counts of samples, tokens, epochs and shares of a run as counts of updates, and back."""

from __future__ import annotations

from bisect import bisect_right

from funcsched.core.validation import argument_error, boolean, concrete_nonnegative_int, concrete_positive_int, one_of
from funcsched.core.value import Value
from funcsched.units.quantities import bare, checked_count, exact, length_of_run, needed, update_sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NoReturn

    from funcsched.units.quantities import Number

_epoch_end_rule = one_of("update", "drop", "join")


class Clock(Value):
    """How a run counts: turns samples, tokens, epochs and shares of the run into updates, and updates back into them.

    A step is the number of updates already made. `steps` gives the first one at which a count has been reached:
    ``clock.samples(clock.steps(samples=n) - 1) < n <= clock.samples(clock.steps(samples=n))``, and so for every unit.
    All arithmetic is in integers. A float stands for the smallest number that rounds to it, so that 0.1 of 1000
    updates is 100 of them.

    A schedule that is built from these steps is a curve over updates. Under a ramp of the batch that is not the same
    curve over samples or tokens: for that one, build the schedule in tokens, and `tabulate` or `lift`
    ``lambda step: schedule(clock.tokens(step))``.

    Args:
        batch_size: samples in a batch of one process, an integer of at least 1.
        accumulation: batches of each process in an update.
        processes: how many processes take a different batch each. Those that share one, by tensor or pipeline
            parallelism, count as one.
        samples_per_update: in place of `accumulation`, the samples in an update over all processes: one number, or a
            ramp ``{unit: [(0, size), (count, size), ...]}``, by which an update that begins when `count` has been
            reached, or later, has the size that stands beside it. The unit is "updates", "samples", "tokens" or
            "epochs"; the sizes are samples and multiples of ``batch_size * processes``. `batch_size` may then be left
            out.
        sequence_length: tokens in a sample. Tokens need it. Where it changes in the run, let a token be the sample:
            ``sequence_length=1`` and all sizes in tokens.
        dataset_size: samples in an epoch. Epochs need it.
        drop_last: whether the samples at the end of an epoch that do not fill a batch in every process are left out.
        epoch_end: what becomes of the batches at the end of an epoch that are fewer than an update takes: "update",
            they make a smaller one; "drop", they are left out; "join", their samples make a whole one with the first of
            the next epoch. Samples that are left out are not counted, and an epoch is all of the others. "drop" is not
            to be had with a ramp.
        run: the length of the run, ``{unit: count}`` of one unit, as in ``{"tokens": 300_000_000_000}``. Fractions need
            it, and are fractions of that count.

    Returns:
        A value: immutable, hashable, equal by its arguments, picklable, and printed as the expression that builds it.

    Raises:
        TypeError, ValueError: an argument is of the wrong type or out of its range, or needs one that is not given.

    The same in the words of others::

        here                torch         HF Trainer                   Megatron-LM         Composer
        batch_size          batch_size    per_device_train_batch_size  micro-batch-size    microbatch size
        accumulation        (your loop)   gradient_accumulation_steps  (follows)           (follows)
        processes           num_replicas  world size                   data-parallel size  world size
        samples_per_update  (your loop)   (the product)                global-batch-size   the global batch
        ... as a ramp       (your loop)   -                            rampup-batch-size   -
        sequence_length     (your data)   (your data)                  seq-length          (your data)
        dataset_size        len(dataset)  len(train_dataset)           -                   len(dataset)
        drop_last           drop_last     dataloader_drop_last         (always full)       drop_last
        epoch_end           (your loop)   "update"                     "join"              "update"
        run, updates        (your loop)   max_steps                    train-iters         "1000ba"
        run, samples        (your loop)   -                            train-samples       "1000sp"
        run, tokens         (your loop)   -                            -                   "1000tok"
        run, epochs         (your loop)   num_train_epochs             -                   "3ep"
        fraction            (your loop)   warmup_steps below 1         lr-warmup-fraction  "0.1dur"

    Lightning and Accelerate end an epoch as HF Trainer does. A loop that updates after every `accumulation`-th batch of
    an epoch, counted from its beginning, is "drop". HF Trainer takes parts of epochs, and fractions, of the updates:
    to do the same, give `run` in updates. Megatron's fraction is one of ``lr-decay-iters``. Copies of samples that a
    sampler adds to fill the last batch are not counted.

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
        >>> fs.Clock(samples_per_update={"samples": [(0, 4), (10, 8)]}).samples(5)  # 4, 4, 4, 8, 8
        28

    Source: PyTorch 2.13 DataLoader and DistributedSampler, transformers 5.23
    Trainer.set_initial_training_values, Megatron-Core 0.16 num_microbatches_calculator, Composer 0.32 composer.Time.
    """

    __slots__ = (
        "_cut",
        "_first",
        "_per_epoch",
        "_run",
        "_samples_at_first",
        "_size",
        "_sizes",
        "accumulation",
        "batch_size",
        "dataset_size",
        "drop_last",
        "epoch_end",
        "processes",
        "sequence_length",
    )
    factory = "Clock"
    fields = (
        "batch_size",
        "accumulation",
        "processes",
        "samples_per_update",
        "sequence_length",
        "dataset_size",
        "drop_last",
        "epoch_end",
        "run",
    )
    defaults = {  # noqa: RUF012
        "batch_size": None,
        "accumulation": 1,
        "processes": 1,
        "samples_per_update": None,
        "sequence_length": None,
        "dataset_size": None,
        "drop_last": False,
        "epoch_end": "update",
        "run": None,
    }

    batch_size: int | None
    accumulation: int
    processes: int
    sequence_length: int | None
    dataset_size: int | None
    drop_last: bool
    epoch_end: str
    _sizes: int | tuple[str, tuple[tuple[Number, int], ...]] | None
    _run: tuple[str, Number] | None
    # Stretches of one size of updates: the update and the sample each begins with, and its size.
    _first: tuple[int, ...]
    _samples_at_first: tuple[int, ...]
    _size: tuple[int, ...]
    _per_epoch: int | None
    _cut: int | None  # an epoch, where no update goes past its end

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
        def store(**values: Any) -> None:
            for key, value in values.items():
                object.__setattr__(self, key, value)

        def maybe(argument: str, value: Any) -> int | None:
            return None if value is None else concrete_positive_int("Clock", argument, value)

        store(
            batch_size=maybe("batch_size", batch_size),
            accumulation=concrete_positive_int("Clock", "accumulation", accumulation),
            processes=concrete_positive_int("Clock", "processes", processes),
            sequence_length=maybe("sequence_length", sequence_length),
            dataset_size=maybe("dataset_size", dataset_size),
            drop_last=boolean("Clock", "drop_last", drop_last),
            epoch_end=_epoch_end_rule("Clock", "epoch_end", epoch_end),
        )
        store(_sizes=update_sizes(samples_per_update, (self.batch_size or 1) * self.processes))
        if self._sizes is None and self.batch_size is None:
            raise argument_error("Clock", "batch_size", "given, or else `samples_per_update`", None, TypeError)
        if self._sizes is not None and self.accumulation != 1:
            raise argument_error("Clock", "accumulation", "left out beside `samples_per_update`", accumulation)
        per_epoch = self._samples_per_epoch()
        store(_per_epoch=per_epoch, _cut=None if self.epoch_end == "join" else per_epoch)
        first, samples_at_first, size = self._stretches()
        store(_first=first, _samples_at_first=samples_at_first, _size=size)
        store(_run=None if run is None else length_of_run(run))
        if self._run is not None:
            self._reached("Clock", *self._run)

    @property
    def samples_per_update(self) -> int | dict[str, list[tuple[Number, int]]] | None:
        """The size of an update or the ramp of it, as it was given."""
        if isinstance(self._sizes, tuple):
            return {self._sizes[0]: list(self._sizes[1])}
        return self._sizes

    @property
    def run(self) -> dict[str, Number] | None:
        """The length of the run, as it was given."""
        return None if self._run is None else {self._run[0]: self._run[1]}

    @property
    def total_steps(self) -> int:
        """The number of updates in the run, ``steps(fraction=1)``.

        Returns:
            An integer.

        Raises:
            ValueError: the clock has no `run`.

        Example:
            >>> import funcsched as fs
            >>> fs.Clock(batch_size=8, run={"samples": 17}).total_steps
            3
        """
        return self._reached("Clock.total_steps", "fraction", 1)

    def steps(
        self,
        *count: NoReturn,
        updates: Number | None = None,
        samples: Number | None = None,
        tokens: Number | None = None,
        epochs: Number | None = None,
        fraction: Number | None = None,
    ) -> int:
        """The number of updates after which a count has been reached: the first at which it is there, or passed.

        Args:
            count: nothing. A number without its unit is refused: 1 may be one update or all of the run.
            updates: the count itself, an integer from 0 to 2**53 (a float such as 3e5 may be one).
            samples: an integer from 0 to 2**53.
            tokens: the same.
            epochs: a number from 0 to 2**53, whole or not: an int, a float or a `fractions.Fraction`.
            fraction: of the `run`, in the unit of that: such a number from 0 to 1.

        Returns:
            An integer, for the arguments of a schedule that count steps.

        Raises:
            TypeError, ValueError: not one unit was given, its count is of the wrong type or out of its range, or the
                clock has not what the unit needs.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100, run={"epochs": 3})  # the last batch of an epoch has 4
            >>> [clock.steps(samples=n) for n in (0, 1, 96, 97, 100, 101)]
            [0, 1, 12, 13, 13, 14]
            >>> clock.steps(epochs=3) == clock.steps(fraction=1) == clock.total_steps == 39
            True
            >>> clock.steps(1)
            Traceback (most recent call last):
            ...
            TypeError: Clock.steps: `count` must be given with its unit, steps(updates=1) or steps(fraction=1), got 1
        """
        name = "Clock.steps"
        if count:
            raise bare(name, "count", count[0], "steps({}={})")
        units = {
            "updates": updates,
            "samples": samples,
            "tokens": tokens,
            "epochs": epochs,
            "fraction": fraction,
        }
        given = [(unit, value) for unit, value in units.items() if value is not None]
        if len(given) != 1:
            rule = "given in one unit: updates, samples, tokens, epochs or fraction"
            raise argument_error(name, "count", rule, dict(given) or None, TypeError)
        ((unit, value),) = given
        return self._reached(name, unit, checked_count(name, unit, unit, value))

    def samples(self, step: int) -> int:
        """How many samples have been used when `step` updates have been made.

        Args:
            step: an integer from 0 to 2**53.

        Returns:
            An integer.

        Raises:
            TypeError, ValueError: `step` is not an integer from 0 to 2**53.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100)
            >>> clock.samples(12), clock.samples(13), clock.samples(14)
            (96, 100, 108)
        """
        return self._samples("Clock.samples", step)

    def tokens(self, step: int) -> int:
        """How many tokens have been used when `step` updates have been made.

        Args:
            step: an integer from 0 to 2**53.

        Returns:
            An integer.

        Raises:
            TypeError, ValueError: `step` is not an integer from 0 to 2**53, or the clock has no `sequence_length`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, sequence_length=1024)
            >>> clock.tokens(clock.steps(tokens=10_000))
            16384
        """
        name = "Clock.tokens"
        length: int = needed(name, "sequence_length", "tokens", self.sequence_length)
        return self._samples(name, step) * length

    def epochs(self, step: int) -> float:
        """How many epochs have been made, whole and in part, when `step` updates have been made.

        Args:
            step: an integer from 0 to 2**53.

        Returns:
            A float, rounded once. ``steps(epochs=epochs(step)) == step``.

        Raises:
            TypeError, ValueError: `step` is not an integer from 0 to 2**53, or the clock has no `dataset_size`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, dataset_size=100)
            >>> clock.epochs(13), clock.epochs(14)
            (1.0, 1.08)
        """
        name = "Clock.epochs"
        epoch: int = needed(name, "dataset_size", "epochs", self._per_epoch)
        return self._samples(name, step) / epoch

    def fraction(self, step: int) -> float:
        """How much of the run is over when `step` updates have been made, in the unit of `run`.

        Args:
            step: an integer from 0 to 2**53.

        Returns:
            A float from 0 to 1, rounded once, and 1 after the run. ``steps(fraction=fraction(step)) == step`` up to
            `total_steps`.

        Raises:
            TypeError, ValueError: `step` is not an integer from 0 to 2**53, or the clock has no `run`.

        Example:
            >>> import funcsched as fs
            >>> clock = fs.Clock(batch_size=8, run={"samples": 20})
            >>> [clock.fraction(step) for step in (0, 1, 2, 3, 4)]
            [0.0, 0.4, 0.8, 1.0, 1.0]
        """
        name = "Clock.fraction"
        done = self._samples(name, step)
        unit, total = needed(name, "run", "fractions", self._run)
        top, bottom = exact(total)
        if unit == "updates":
            done = concrete_nonnegative_int(name, "step", step)
        elif unit == "tokens":
            bottom *= needed(name, "sequence_length", "tokens", self.sequence_length)
        elif unit == "epochs":
            top *= needed(name, "dataset_size", "epochs", self._per_epoch)
        return min(done * bottom, top) / top

    @staticmethod
    def rampup(start: int, increment: int, samples: int, *, global_batch_size: int) -> dict[str, list[tuple[int, int]]]:
        """Megatron's ramp of the batch, for `samples_per_update`: equal increments after equal counts of samples.

        From ``i * samples / n`` samples on, ``start + i * increment``, where ``n`` increments lead to the last size.

        Args:
            start: the samples in the first update, an integer of at least 1.
            increment: how much larger each size is than the one before, an integer of at least 1.
            samples: after how many samples the last size is reached, an integer of at least 1.
            global_batch_size: the last size, an integer of increments above `start`.

        Returns:
            The ramp. The counts are exact: where one falls on the beginning of an update, Megatron's own quotient of
            floats can come out below it, and its batch grow an update later.

        Raises:
            TypeError, ValueError: an argument is of the wrong type or out of its range.

        Example:
            >>> import funcsched as fs
            >>> fs.Clock.rampup(16, 8, 300, global_batch_size=40)
            {'samples': [(0, 16), (100, 24), (200, 32), (300, 40)]}

        Source: Megatron-Core 0.16, RampupBatchsizeNumMicroBatchesCalculator: ``--rampup-batch-size start increment
        samples``.
        """
        name = "Clock.rampup"
        start = concrete_positive_int(name, "start", start)
        increment = concrete_positive_int(name, "increment", increment)
        samples = concrete_positive_int(name, "samples", samples)
        last = concrete_positive_int(name, "global_batch_size", global_batch_size)
        increments, rest = divmod(last - start, increment)
        if increments < 0 or rest:
            rule = f"`start` ({start}) and an integer of increments of {increment}"
            raise argument_error(name, "global_batch_size", rule, global_batch_size)
        # Where increments are shorter than a sample, the larger size of two counts.
        counts = {_ceil(i * samples, increments or 1): start + i * increment for i in range(increments + 1)}
        return {"samples": list(counts.items())}

    def __hash__(self) -> int:
        others = (getattr(self, name) for name in self.fields if name not in ("samples_per_update", "run"))
        return hash((self.factory, self._sizes, self._run, *others))

    def __reduce__(self) -> tuple[Any, ...]:
        return _built, (self.arguments(),)

    def _samples_per_epoch(self) -> int | None:
        """The samples of an epoch that are used."""
        size = self.dataset_size
        if size is None:
            return None
        rule = "at least {} where the rest of an epoch is dropped"
        ramp = isinstance(self._sizes, tuple)
        update = 0 if ramp else self._constant()
        # Without a size of its own a batch is all of an update.
        batch = update if self.batch_size is None else self.batch_size * self.processes
        if self.drop_last:
            if batch == 0:
                raise argument_error("Clock", "batch_size", "given where `drop_last` is, beside a ramp", None)
            if size < batch:
                raise argument_error("Clock", "dataset_size", rule.format(f"a batch of all processes ({batch})"), size)
            size = size // batch * batch
        if self.epoch_end == "drop":
            if ramp:
                raise argument_error(
                    "Clock", "epoch_end", "'update' or 'join' beside a ramp of `samples_per_update`", "drop"
                )
            batches = update // batch
            updates = _ceil(size, batch) // batches
            if updates == 0:
                raise argument_error(
                    "Clock", "dataset_size", rule.format(f"an update ({batches} batches)"), self.dataset_size
                )
            size = min(updates * update, size)
        return size

    def _constant(self) -> int:
        """The samples of an update where there is no ramp."""
        if isinstance(self._sizes, int):
            return self._sizes
        return (self.batch_size or 1) * self.accumulation * self.processes

    def _stretches(self) -> tuple[tuple[int, ...], ...]:
        if not isinstance(self._sizes, tuple):
            return (0,), (0,), (self._constant(),)
        unit, ramp = self._sizes
        first, samples, sizes = [0], [0], [ramp[0][1]]
        for count, size in ramp[1:]:
            if unit == "updates":
                updates = _ceil(*exact(count)) - first[-1]
            else:
                target = self._samples_of("Clock", unit, *exact(count))
                # An update can go past two counts at once: the stretch between them is empty.
                updates = self._reach(samples[-1], sizes[-1], target) if target > samples[-1] else 0
            samples.append(self._advance(samples[-1], sizes[-1], updates))
            first.append(first[-1] + updates)
            sizes.append(size)
        return tuple(first), tuple(samples), tuple(sizes)

    def _advance(self, samples: int, size: int, updates: int) -> int:
        """The samples after some more updates of one size."""
        epoch = self._cut
        if epoch is None:
            return samples + updates * size
        left = -samples % epoch
        head = _ceil(left, size)
        if updates <= head:
            return samples + min(updates * size, left)
        epochs, rest = divmod(updates - head, _ceil(epoch, size))
        return samples + left + epochs * epoch + rest * size

    def _reach(self, samples: int, size: int, target: int) -> int:
        """How many more updates of one size it takes to a count of samples: the inverse of `_advance`."""
        epoch, gap = self._cut, target - samples
        left = gap if epoch is None else -samples % epoch
        if epoch is None or gap <= left:
            return _ceil(gap, size)
        epochs, rest = divmod(gap - left, epoch)
        return _ceil(left, size) + epochs * _ceil(epoch, size) + _ceil(rest, size)

    def _samples(self, function: str, step: Any) -> int:
        step = concrete_nonnegative_int(function, "step", step)
        at = bisect_right(self._first, step) - 1  # of empty stretches the last
        return self._advance(self._samples_at_first[at], self._size[at], step - self._first[at])

    def _reached(self, function: str, unit: str, count: Number) -> int:
        """The first step at which a count has been reached."""
        top, bottom = exact(count)
        if unit == "fraction":
            unit, total = needed(function, "run", "fractions", self._run)
            numerator, denominator = exact(total)
            top, bottom = top * numerator, bottom * denominator
        if unit == "updates":
            return _ceil(top, bottom)
        target = self._samples_of(function, unit, top, bottom)
        at = bisect_right(self._samples_at_first, target) - 1
        return self._first[at] + self._reach(self._samples_at_first[at], self._size[at], target)

    def _samples_of(self, function: str, unit: str, top: int, bottom: int) -> int:
        """The integer of samples by which a count of another unit has been reached."""
        if unit == "tokens":
            bottom *= needed(function, "sequence_length", unit, self.sequence_length)
        elif unit == "epochs":
            top *= needed(function, "dataset_size", unit, self._per_epoch)
        return _ceil(top, bottom)


def _built(arguments: dict[str, Any]) -> Clock:
    return Clock(**arguments)


def _ceil(top: int, bottom: int) -> int:
    return -(-top // bottom)

"""A schedule that counts samples or tokens instead of updates."""

from __future__ import annotations

import math

from funcsched.combinators.time import largest_count
from funcsched.combinators.update_sizes import UpdateSizes, ceil_divide
from funcsched.core.schedule import DividedStep, Schedule, as_schedule
from funcsched.core.validation import (
    argument_error,
    concrete_positive_int,
    optional,
    require_increasing,
    sequence,
)
from funcsched.numerics.cache import cached
from funcsched.numerics.number_system import MAX_COUNT, MAX_STEP
from funcsched.numerics.step import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

_LARGEST_INT = int(MAX_STEP)  # larger counts are past the end of every schedule


class CountBy(Schedule):
    __slots__ = fields = ("schedule", "sizes", "boundaries", "per", "epoch")
    factory = "count_by"
    uses_table = True
    defaults: ClassVar[dict[str, Any]] = {"boundaries": (), "per": 1, "epoch": None}
    static = frozenset({"sizes", "boundaries", "per", "epoch"})

    schedule: Schedule
    sizes: int | tuple[int, ...]  # an int if there are no boundaries
    boundaries: tuple[int, ...]
    per: int
    epoch: int | None

    def update_sizes(self) -> UpdateSizes:
        return _update_sizes(self.sizes, self.boundaries, self.epoch)

    def stretched(self, factor: Any) -> Schedule:
        if type(factor) is not int or self.epoch is not None:
            return DividedStep(self, factor)
        boundaries = tuple(boundary * factor for boundary in self.boundaries)
        return CountBy(self.schedule.stretched(factor), self.sizes, boundaries, self.per, None)

    def at(self, step: Step) -> Any:
        step = step.up_to(math.inf)  # counts are longer than 32 bits
        xp, size, epoch = step.xp, self.sizes, self.epoch
        if isinstance(size, int):
            count = (
                step.count * size
                if epoch is None
                else _in_epochs(xp, step.count, size, epoch, ceil_divide(epoch, size))
            )
        else:
            starts, *columns = _phases(size, self.boundaries, epoch)
            index = step.index(starts[1:])
            start, first, size, *of_epochs = (xp.lookup(column, index) for column in (starts, *columns))
            updates = step.since(start).count
            count = updates * size
            if epoch is not None:
                left, updates_left, updates_per_epoch = of_epochs
                updates = xp.maximum(updates - updates_left, 0)
                count = xp.minimum(count, left) + _in_epochs(xp, updates, size, epoch, updates_per_epoch)
            count = first + count
        return self._of_count().at(Step(xp, xp.minimum(count, MAX_STEP)))

    def scalar(self) -> Callable[[int], float]:
        schedule, size = self._of_count().scalar(), self.sizes
        if isinstance(size, int) and self.epoch is None:
            return lambda step: schedule(min(step * size, _LARGEST_INT))
        count_after = self.update_sizes().count_after
        return lambda step: schedule(min(count_after(step), _LARGEST_INT) if step > 0 else 0)

    def _of_count(self) -> Schedule:
        """``count -> schedule(count / per)``, with exact lengths where possible."""
        if self.per == 1:
            return self.schedule
        if largest_count(self.schedule, MAX_COUNT) * self.per <= MAX_COUNT:
            return self.schedule.stretched(self.per)
        return DividedStep(self.schedule, self.per)


def _in_epochs(xp: Any, updates: Any, size: Any, epoch: int, updates_per_epoch: Any) -> Any:
    """The count after a number of updates, counted from the start of an epoch."""
    epochs, rest = xp.divmod(updates, updates_per_epoch)
    # A fractional step may be inside the last update of an epoch, which is smaller.
    return epochs * epoch + xp.minimum(rest * size, epoch)


def _update_sizes(sizes: int | tuple[int, ...], boundaries: tuple[int, ...], epoch: int | None) -> UpdateSizes:
    first, *others = (sizes,) if isinstance(sizes, int) else sizes
    result = UpdateSizes(first, epoch)
    for boundary, size in zip(boundaries, others, strict=True):
        result.add_phase(boundary, size)
    return result


@cached
def _phases(sizes: tuple[int, ...], boundaries: tuple[int, ...], epoch: int | None) -> Any:
    """The lookup tables of the phases.

    Returns:
        The first update, the count before it and the update size. With epochs also what is left of the current epoch
        at the start of the phase, how many updates that is, and the updates in each epoch after it.
    """
    table = _update_sizes(sizes, boundaries, epoch)
    columns = [table.first_updates, table.first_counts, table.sizes]
    if epoch is not None:
        left = [table.left_in_epoch(phase) for phase in range(len(table.sizes))]
        updates_left = [ceil_divide(count, size) for count, size in zip(left, table.sizes, strict=True)]
        columns += [left, updates_left, [ceil_divide(epoch, size) for size in table.sizes]]
    return tuple(map(tuple, columns))


def count_by(
    schedule: Schedule | Callable[[Any], Any],
    sizes: int | Iterable[int],
    boundaries: Iterable[int] = (),
    *,
    per: int = 1,
    epoch: int | None = None,
) -> Schedule:
    """Convert a schedule of tokens or samples to a schedule of updates: its step advances by the size of each update.

    ``schedule(count(step) / per)`` with ``count(0) = 0`` and ``count(step + 1) = count(step) + sizes[i]`` for
    ``boundaries[i - 1] <= step < boundaries[i]``

    `Clock.schedule` builds it from batch sizes, sequence lengths and epochs.

    Args:
        schedule: a schedule whose lengths are numbers of tokens or samples, or with `per` of larger units; or a
            function of such a number.
        sizes: tokens or samples in each update (int, 1 to 2**53), or a sequence of the sizes before the first boundary
            and from each boundary on.
        boundaries: steps at which the size changes (ints, 1 to 2**53), increasing; one fewer than `sizes`.
        per: tokens or samples in one step of `schedule` (int, 1 to 2**53), such as the samples of an epoch.
        epoch: tokens or samples after which an update ends early (int, 1 to 2**53). The last update of an epoch is then
            smaller if the epoch is not a multiple of the size. If None, all updates have their full size.

    Returns:
        A schedule. The count is an exact integer up to 2**53, in JAX without x64 up to 2**46. Between two integer
        steps, it is interpolated.

    Raises:
        TypeError, ValueError: an argument has the wrong type or length, is out of range or not increasing.

    Example:
        >>> import funcsched as fs
        >>> schedule = fs.count_by(fs.warmup_linear(2_000, 10_000), sizes=[40, 80], boundaries=[25])
        >>> [schedule(step) for step in (0, 25, 30, 37, 38, 75, 113)]  # 0, 1000, 1400, 1960, 2040, 5000, 8040 tokens
        [0.0, 0.5, 0.7, 0.98, 0.995, 0.625, 0.245]
        >>> fs.count_by(fs.step_decay(2), 32, per=100, epoch=100)(8)  # 4 updates per epoch
        0.1

    Source: Brown et al. 2020, arXiv:2005.14165, appendix B, whose schedule is given in tokens and whose batch grows.
    """
    name = "count_by"
    inner = as_schedule(name, "schedule", schedule)
    boundaries = sequence(name, "boundaries", boundaries, concrete_positive_int, "integers")
    require_increasing(name, "boundaries", boundaries)
    if hasattr(sizes, "__iter__"):
        all_sizes = sequence(name, "sizes", sizes, concrete_positive_int, "integers")
    else:
        all_sizes = (concrete_positive_int(name, "sizes", sizes),)
    if len(all_sizes) != len(boundaries) + 1:
        requirement = f"of length {len(boundaries) + 1} for {len(boundaries)} boundaries"
        raise argument_error(name, "sizes", requirement, sizes if len(all_sizes) == 1 else list(all_sizes))
    per = concrete_positive_int(name, "per", per)
    epoch = optional(concrete_positive_int)(name, "epoch", epoch)
    return CountBy(inner, all_sizes if boundaries else all_sizes[0], boundaries, per, epoch)

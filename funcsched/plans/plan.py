"""`Plan`: the curves of a training run over one unit, with its length, its stages and its source."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from math import ceil

from funcsched.combinators.sequence import then
from funcsched.combinators.time import stretch
from funcsched.core.validation import argument_error, sequence, suggestion
from funcsched.core.value import Value
from funcsched.plans.arguments import (
    KEYS,
    LONGEST_RUN,
    PlanCurve,
    as_curve,
    count_rule,
    curve_value,
    integer,
    items,
    require_all_stages,
    text,
    validated_length,
    validated_run,
    validated_stages,
)
from funcsched.plans.data import arguments_from_data, plan_to_data
from funcsched.serialization.expression import parse_value
from funcsched.shapes.basic import linear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from typing import Any, NoReturn

    from matplotlib.figure import Figure

    from funcsched.core.schedule import Schedule
    from funcsched.shapes.shape import Shape
    from funcsched.units.clock import Clock
    from funcsched.units.quantities import Number


class Plan(Value):
    """The curves of a training run: learning rate, batch size, weight decay and others over one unit.

    ``plan.at(count)[name] == peak_value * schedule(count)`` for each curve

    Args:
        curves: the name of each curve, such as "lr", and its pair ``(schedule, peak_value)``. The schedule counts the
            unit of `run`. The peak value is the value at multiplier 1 (float, not 0). A `Rated` of the bridges is such
            a pair.
        run: the unit of all counts and the length of the run in it, such as ``{"tokens": 300_000_000_000}``. The unit
            is "updates", "samples", "tokens" or "epochs"; the length is above 0 and at most 2**53.
        stages: the name of each stage and the count at which it begins, increasing and below the length of the run.
        source: where the plan was published (str).
        notes: assumptions, and what the source does not give (sequence of str).

    Returns:
        An immutable value: hashable if its schedules are, picklable, equal to every plan with equal arguments, and
        printed as the expression that builds it. `curves`, `run`, `stages`, `source` and `notes` are attributes, `unit`
        and `length` are the two parts of `run`.

    Raises:
        TypeError, ValueError: an argument has the wrong type or is out of range, or the stages are not increasing.

    Example:
        >>> import funcsched as fs
        >>> plan = fs.Plan(
        ...     {"lr": (fs.warmup_cosine(10, 100, end=0.1), 0.5), "batch_size": (fs.ramp(0.25, 1, steps=50), 64)},
        ...     run={"updates": 100},
        ...     stages={"warmup": 0, "decay": 10},
        ... )
        >>> plan.at(10), plan.stage(9), plan.stage(10)
        ({'lr': 0.5, 'batch_size': 25.6}, 'warmup', 'decay')
        >>> fs.Plan.from_dict(plan.to_dict()) == plan
        True
    """

    source: str
    notes: tuple[str, ...]
    unit: str
    length: Number
    _curves: dict[str, PlanCurve]
    _stages: dict[str, Number]

    def __init__(
        self,
        curves: Mapping[str, tuple[Schedule | Callable[[Any], Any], float]],
        *,
        run: Mapping[str, Number],
        stages: Mapping[str, Number] | None = None,
        source: str = "",
        notes: Sequence[str] = (),
    ) -> None:
        unit, length = validated_run("Plan", run)
        vars(self).update(  # because attributes cannot be assigned
            _curves={name: as_curve(name, pair) for name, pair in items("curves", "pairs", curves)},
            unit=unit,
            length=length,
            _stages=validated_stages(stages or {}, unit, length),
            source=text("Plan", "source", source),
            notes=sequence("Plan", "notes", notes, text, "strings"),
        )
        if not self._curves:
            raise argument_error("Plan", "curves", "a dictionary with at least one curve", curves)

    # A Value is compared and printed by these names and defaults of the arguments.
    factory = "Plan"
    fields = KEYS
    defaults = {"stages": {}, "source": "", "notes": ()}  # noqa: RUF012

    @property
    def curves(self) -> dict[str, PlanCurve]:
        """The schedule and the peak value of each curve."""
        return dict(self._curves)

    @property
    def run(self) -> dict[str, Number]:
        """The unit and the length of the run."""
        return {self.unit: self.length}

    @property
    def stages(self) -> dict[str, Number]:
        """The count at which each stage begins."""
        return dict(self._stages)

    def at(self, count: Any) -> dict[str, Any]:
        """The values of all curves at a count.

        Args:
            count: number of updates, samples, tokens or epochs already used, in the unit of the plan (int, float, or an
                array of NumPy, JAX or torch).

        Returns:
            A dictionary of values by the names of the curves. Their types are those that a schedule returns.

        Raises:
            TypeError: `count` is not a number.

        Example:
            >>> import funcsched as fs
            >>> fs.Plan({"lr": (fs.warmup_linear(10, 100), 0.5)}, run={"updates": 100}).at(55)
            {'lr': 0.25}
        """
        return {name: curve.peak_value * curve.schedule(count) for name, curve in self._curves.items()}

    def stage(self, count: float) -> str | None:
        """The name of the stage at a count, or None before the first stage.

        Args:
            count: a count in the unit of the plan (float, 0 to 2**53).

        Raises:
            TypeError, ValueError: `count` has the wrong type or is out of range.
        """
        count = count_rule("Plan.stage", "count", count)
        return next((name for name, first in reversed(self._stages.items()) if first <= count), None)

    def branch(
        self,
        count: int,
        values: Mapping[str, float],
        *,
        length: int,
        stage: str = "branch",
        shape: Shape | Callable[[Any], Any] = linear,
    ) -> Plan:
        """The plan up to a count, then ramps from the values there: a cooldown, an extension or a new warmup.

        ``then(schedule, count, value / peak_value, steps=length, shape=shape)`` for each given curve. The quotient is
        rounded, so the branch may end 1 ulp from the value.

        Args:
            count: the count at which the branch begins (int, 0 to 2**53).
            values: the value of each curve at the end of the branch, such as ``{"lr": 0.0}``. The other curves continue
                as planned.
            length: the length of the branch (int, 1 to 2**53). The run ends with it.
            stage: the name of the branch (str). Stages that begin at `count` or later are removed.
            shape: the shape of the ramps, as in `ramp`.

        Returns:
            A plan whose curves are continuous at `count`. Branches can follow each other.

        Raises:
            TypeError, ValueError: an argument has the wrong type or is out of range, or a name is not that of a curve,
                or `stage` is the name of a stage that remains.

        Example:
            >>> import funcsched as fs
            >>> plan = fs.Plan({"lr": (fs.warmup_constant(10), 0.5)}, run={"updates": 100})
            >>> cooldown = plan.branch(60, {"lr": 0.0}, length=20, stage="cooldown")
            >>> [cooldown.at(step)["lr"] for step in (59, 60, 70, 80)], cooldown.run
            ([0.5, 0.5, 0.25, 0.0], {'updates': 80})

        Source: the decay branches of Hagele et al. 2024, arXiv:2405.18392.
        """
        name = "Plan.branch"
        count, length = integer(name, "count", count, 0), integer(name, "length", length, 1)
        if count + length > LONGEST_RUN:
            requirement = f"at most {LONGEST_RUN - count}, because a run ends at 2**53 at the latest"
            raise argument_error(name, "length", requirement, length)
        stage = text(name, "stage", stage)
        targets = dict(items("values", "numbers", values, name))
        for curve in targets:
            if curve not in self._curves:
                hint = suggestion(curve, self._curves, f"the curves are {', '.join(self._curves)}")
                raise ValueError(f"{name}: unknown curve {curve!r}; {hint}")
        curves = dict(self._curves)
        for curve, target in targets.items():
            schedule, peak = curves[curve]
            stop = curve_value(name, f"values[{curve!r}]", target) / peak
            curves[curve] = PlanCurve(then(schedule, count, stop, steps=length, shape=shape), peak)
        stages = {key: first for key, first in self._stages.items() if first < count}
        if stage in stages:
            raise argument_error(name, "stage", f"none of the stages before {count} ({', '.join(stages)})", stage)
        run = {self.unit: count + length}
        return Plan(curves, run=run, stages={**stages, stage: count}, source=self.source, notes=self.notes)

    def scaled(
        self,
        *length: NoReturn,
        updates: int | None = None,
        samples: int | None = None,
        tokens: int | None = None,
        epochs: float | None = None,
    ) -> Plan:
        """The plan for a run of another length: every count times ``new length / length``.

        Args:
            length: not allowed. A number without a unit raises, because its unit would be unclear.
            updates, samples, tokens, epochs: the new length, in the unit of the plan (above 0, at most 2**53).

        Returns:
            A plan with the same values at the same fractions of the run: its schedules are a `stretch`, and a stage
            begins at the first integer of its scaled interval (in epochs: at its scaled count). Its `notes` state the
            assumptions.

        Raises:
            TypeError, ValueError: the length is not given in exactly the unit of the plan or is out of range, or a
                stage would be removed because it is shorter than one count.

        Example:
            >>> import funcsched as fs
            >>> plan = fs.Plan({"lr": (fs.warmup_linear(10, 100), 0.5)}, run={"updates": 100}, stages={"decay": 10})
            >>> short = plan.scaled(updates=50)
            >>> [short.at(step)["lr"] for step in (0, 5, 50)], short.stages
            ([0.0, 0.5, 0.0], {'decay': 5})
        """
        name = "Plan.scaled"
        lengths = {"updates": updates, "samples": samples, "tokens": tokens, "epochs": epochs}
        given = {unit: number for unit, number in lengths.items() if number is not None}
        if length or list(given) != [self.unit]:
            requirement = f"given in the unit of the plan, {self.unit}"
            fix = f"use scaled({self.unit}=...)"
            raise argument_error(name, "length", requirement, given or length or None, TypeError, fix=fix)
        new = validated_length(name, self.unit, self.unit, given[self.unit])
        factor = Fraction(new) / Fraction(self.length)
        if not 1e-9 <= factor <= 1e9:  # the limits of `stretch`
            raise argument_error(name, self.unit, f"from 1e-9 to 1e9 times the length ({self.length})", new)
        stages: dict[str, Number] = {stage: first * factor for stage, first in self._stages.items()}
        if self.unit != "epochs":
            require_all_stages(name, stages, new, self.unit)
            stages = {stage: ceil(first) for stage, first in stages.items()}
        curves = {
            key: PlanCurve(stretch(schedule, float(factor)), peak) for key, (schedule, peak) in self._curves.items()
        }
        note = (
            f"scaled from {self.length} to {new} {self.unit}: all stages, including the warmup, are scaled by the"
            " same factor; peak values and batch sizes are unchanged, although shorter runs may need others"
        )
        return Plan(curves, run={self.unit: new}, stages=stages, source=self.source, notes=(*self.notes, note))

    def in_updates(self, clock: Clock) -> Plan:
        """Convert the plan to counts of updates, as `lambda_lr` and `inject_plan` of the bridges require.

        ``clock.schedule(schedule, unit)`` for each curve

        Args:
            clock: the sizes of the updates. Its ramp of the batch size is separate from a curve of this plan.

        Returns:
            A plan over updates. A stage begins with the first update that begins at its count or later.

        Raises:
            TypeError, ValueError: the clock cannot count the unit of the plan, or a stage would have no update.

        Example:
            >>> import funcsched as fs
            >>> plan = fs.Plan({"lr": (fs.warmup_linear(80, 800), 0.5)}, run={"tokens": 800})
            >>> plan.in_updates(fs.Clock(samples_per_update=4, sequence_length=2)).at(55)
            {'lr': 0.25}
        """
        if not hasattr(clock, "schedule"):
            raise argument_error("Plan.in_updates", "clock", "a Clock", clock, TypeError)
        if clock.run not in (None, self.run):
            raise argument_error("Plan.in_updates", "clock", f"a Clock without a run, or with {self.run}", clock.run)
        if self.unit == "updates":
            return self
        steps: dict[str, Number] = {stage: clock.steps(**{self.unit: first}) for stage, first in self._stages.items()}
        total = clock.steps(**{self.unit: self.length})
        require_all_stages("Plan.in_updates", steps, total, "updates")
        curves = {
            key: PlanCurve(clock.schedule(schedule, self.unit), peak) for key, (schedule, peak) in self._curves.items()
        }
        return Plan(curves, run={"updates": total}, stages=steps, source=self.source, notes=self.notes)

    def plot(self, path: str | PathLike[str] | None = None) -> Figure:
        """Plot all curves, one below the other, with the stages as vertical lines.

        Args:
            path: where to save the figure (.png or .svg). Without it, the figure is only returned.

        Returns:
            The matplotlib figure.

        Raises:
            ValueError: `path` does not end in .png or .svg.
            ModuleNotFoundError: matplotlib is not installed (`pip install 'funcsched[plot]'`).
        """
        from funcsched.plans.figure import plot_plan  # imported only to plot

        return plot_plan(self, path)

    def _repr_html_(self) -> str | None:
        from funcsched.plans.figure import html  # imported only in notebooks

        return html(self)

    def to_dict(self) -> dict[str, Any]:
        """Convert the plan to plain data, from which `Plan.from_dict` builds it.

        Returns:
            ``{"format": 1, "plan": {"curves": {name: {"schedule": ..., "peak_value": ...}}, "run": ...}}``, where the
            schedules are those of `to_dict`.

        Raises:
            TypeError: a schedule contains a Python function or an array.
        """
        return plan_to_data(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any], /, **numbers: float) -> Plan:
        """Build a plan from plain data, written by `to_dict` or by hand.

        Args:
            data: as returned by `to_dict`. A schedule may also be an expression, as `parse` reads it.
            numbers: the values of other names in these expressions, as in `parse`.

        Returns:
            A plan.

        Raises:
            TypeError, ValueError: `data` has another form, or a value that `Plan`, `parse` or `from_dict` refuses.

        Example:
            >>> import funcsched as fs
            >>> curves = {"lr": {"schedule": "warmup_linear(total // 10, total)", "peak_value": 0.5}}
            >>> fs.Plan.from_dict({"format": 1, "plan": {"curves": curves, "run": {"updates": 100}}}, total=100)
            Plan(curves={'lr': (warmup_linear(warmup_steps=10, total_steps=100), 0.5)}, run={'updates': 100})
        """
        return Plan(**arguments_from_data(data, numbers))

    @staticmethod
    def parse(text: str, /, **numbers: float) -> Plan:
        """Read a plan from its expression, as printed by a plan or written by hand.

        ``Plan.parse(str(plan)) == plan``

        Args:
            text: a call of `Plan` in the notation of `parse`, with dictionaries.
            numbers: the values of other names in `text`, as in `parse`.

        Returns:
            A plan.

        Raises:
            ParseError, TypeError, ValueError: as in `parse`.

        Example:
            >>> import funcsched as fs
            >>> text = "Plan({'lr': (warmup_linear(10, 100), 0.5)}, run={'updates': 100})"
            >>> fs.Plan.parse(text).at(55)
            {'lr': 0.25}
        """
        plan: Plan = parse_value("Plan.parse", text, numbers, Plan, "a plan, such as Plan({...}, run={...})")
        return plan

    def __hash__(self) -> int:
        return hash((frozenset(self._curves.items()), self.unit, self.length, tuple(self._stages.items()), self.source))

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self.arguments()), ()  # because arguments are keyword-only

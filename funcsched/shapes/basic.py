"""Shapes without parameters.

u is the elapsed fraction of the phase, and v = 1 - u the remaining one. `rise` is a formula of u. `fall` is 1 - rise,
as a formula of v. `NumberSystem.formula` explains which formulas need their derivative.
"""

from __future__ import annotations

from funcsched.numerics.double_word import HALF_PI
from funcsched.shapes.shape import Shape, SymmetricShape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from funcsched.numerics.number_system import NumberSystem, Weight


class BasicShape(Shape):
    """A shape without parameters. Its repr is its name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self.factory


class Linear(SymmetricShape, BasicShape):
    """A straight line.

    ``u``, the elapsed fraction of the phase

    In other libraries:
        most libraries: linear

    Source: the decay of Devlin et al. 2018, arXiv:1810.04805, section A.2.
    """

    __slots__ = ()
    factory = "linear"
    exact = True

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return xp.fraction(steps)


class Cosine(SymmetricShape, BasicShape):
    """Half a cosine wave, flat at both ends.

    ``(1 - cos(pi u)) / 2 = sin(pi/2 u)**2``

    In other libraries:
        most libraries: cosine

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983, eq. 5.
    """

    __slots__ = ()
    factory = "cosine"
    exact = True

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        sin = xp.sin

        def squared_sine(x: Any) -> Any:
            y = sin(x)
            return y * y

        return xp.formula(steps, squared_sine, constant=HALF_PI)


class Sine(BasicShape):
    """A quarter of a sine wave. As a decay, it is the second half of a cosine decay.

    ``sin(pi/2 u)``

    In other libraries:
        OLMo-core: the decay of HalfCosWithWarmup

    Source: HalfCosWithWarmup of OLMo-core.
    """

    __slots__ = ()
    factory = "sine"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        return xp.formula(steps, xp.sin, constant=HALF_PI)

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        def versed_sine(x: Any) -> Any:  # 1 - cos(x) = 2 sin(x / 2)**2
            y = xp.sin(0.5 * x)
            return 2.0 * (y * y)

        return xp.formula(steps, versed_sine, constant=HALF_PI)


class Sqrt(BasicShape):
    """A square root. As a decay, it is the 1-sqrt cooldown.

    ``sqrt(u)``

    In other libraries:
        transformers: decay_type 1-sqrt
        timm: decay_fn 1-sqrt
        Megatron: minus_sqrt
        torchtitan: decay_type sqrt

    Source: Hagele et al. 2024, arXiv:2405.18392, section 3.
    """

    __slots__ = ()
    factory = "sqrt"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction = xp.fraction(steps)

        def root(elapsed: Any, remaining: Any) -> Any:
            u = fraction(elapsed, remaining)
            # At 0 the derivative is infinite, and would make gradients NaN. `0.0 * u` keeps a NaN.
            return xp.where(u > 0, xp.sqrt(xp.where(u > 0, u, 1.0)), 0.0 * u)

        return root

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction, root = xp.fraction(steps), self.rise(xp, steps)
        # 1 - sqrt(u) = v / (1 + sqrt(u))
        return lambda remaining, elapsed: fraction(remaining, elapsed) / (1.0 + root(elapsed, remaining))


class Log(BasicShape):
    """A logarithm of the step. The longer the phase, the steeper the curve at the beginning.

    ``log(1 + step) / log(1 + steps)`` for a phase of `steps` steps

    In other libraries:
        DeepSpeed: warmup_type log, over `warmup_num_steps - 1` steps

    Source: the logarithmic warmup of DeepSpeed's WarmupLR.
    """

    __slots__ = fields = ("unit",)
    factory = "log"
    static = frozenset(fields)

    unit: Any  # number of steps that the logarithm counts as one: 1, or the factor of `stretched`

    def stretched(self, factor: Any) -> Shape:
        return Log(self.unit * factor)

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        log1p, to_float, unit, divisor = xp.log1p, xp.to_float, xp.to_float(self.unit), self._divisor(xp, steps)
        return lambda elapsed, remaining: log1p(to_float(elapsed) / unit) / divisor

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        log1p, to_float, unit, divisor = xp.log1p, xp.to_float, xp.to_float(self.unit), self._divisor(xp, steps)
        # log(1 + steps / unit) - log(1 + elapsed / unit) = log(1 + remaining / (elapsed + unit))
        return lambda remaining, elapsed: log1p(to_float(remaining) / (to_float(elapsed) + unit)) / divisor

    def _divisor(self, xp: NumberSystem, steps: Any) -> Any:
        return xp.log1p(xp.level(xp.to_float(steps) / xp.to_float(self.unit)))


class RationalCurve(Shape):
    """The common part of `rex` and `rational`."""

    __slots__ = ()

    d: float

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction, k = xp.fraction(steps), self.d / (1.0 - self.d)
        # (1 - d) u / (1 - d u) = u / (1 + k v), in which nothing cancels
        return lambda elapsed, remaining: fraction(elapsed, remaining) / (1.0 + k * fraction(remaining, elapsed))

    def fall(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction, d = xp.fraction(steps), self.d

        def weight(remaining: Any, elapsed: Any) -> Any:
            v = fraction(remaining, elapsed)
            return v / ((1.0 - d) + d * v)

        return weight


class Rex(RationalCurve, BasicShape):
    """A rational function, flatter than `linear` at the beginning and steeper at the end: ``rational(0.5)``.

    ``u / (2 - u)``, and as a decay ``(1 - u) / (1 - u / 2)``

    In other libraries:
        pytorch-scheduler: REX
        axolotl: RexLR is `rational(0.9)`

    Source: Chen et al. 2021 (REX), arXiv:2107.04197.
    """

    __slots__ = ()
    factory = "rex"
    d = 0.5


class MirrorCosine(SymmetricShape, BasicShape):
    """Half a cosine wave reflected at the straight line: steep at both ends, flat in the middle.

    ``2 u - (1 - cos(pi u)) / 2``, and as a decay ``2 (1 - u) - (1 + cos(pi u)) / 2``

    Source: the mirror cosine cooldown of epfml/schedules-and-scaling.
    """

    __slots__ = ()
    factory = "mirror_cosine"

    def rise(self, xp: NumberSystem, steps: Any) -> Weight:
        fraction, cosine_rise = xp.fraction(steps), cosine.rise(xp, steps)
        return lambda count, other: 2.0 * fraction(count, other) - cosine_rise(count, other)


linear = Linear()
cosine = Cosine()
sine = Sine()
sqrt = Sqrt()
log = Log(1)
rex = Rex()
mirror_cosine = MirrorCosine()

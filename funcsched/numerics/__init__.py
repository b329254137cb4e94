"""Exact step counts, and fractions of a phase that are accurate to the last place, in every array library.

A count is a number of steps: the step itself, or the steps since the start of a phase. A shape is a formula of the
fraction ``count / steps`` of a phase. One float is not precise enough for the fraction, because a steep curve amplifies
its rounding error. So it is a double-word number ``hi + lo`` (`double_word`), and a formula f is evaluated as
``f(hi) + f'(hi) * lo`` (`number_system`). Where the result is float32 but the arithmetic is float64, one float64 is
precise enough.

Each number system represents counts in its own way:

- `python_numbers`: a Python int or float;
- `arrays`: float64 in NumPy, torch and JAX with x64, which is exact up to 2**53 and does not wrap;
- `jax_float32`: int32 in JAX without x64, or double-words of float32 where int32 is too short.

`dispatch` chooses the number system for a step. Schedules use counts through `step`, and shapes through `periodic` and
the methods of the number system. So nothing outside this package depends on how many bits a number has.
"""

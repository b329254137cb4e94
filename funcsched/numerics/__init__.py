"""How a step becomes numbers: exact counts, and fractions of a phase that are accurate to the last place.

A fraction ``count / steps`` rounded to one float is not enough, because a steep curve amplifies its rounding error. So
the fraction is a double-word number ``hi + lo`` (`double_word`), and a formula f is evaluated as
``f(hi) + f'(hi) * lo`` (`number_system`). When the result is float32 but the arithmetic is float64, a plain float64 is
already precise enough.

Each number system says what a count is:

- `python_numbers`: a Python int or float;
- `arrays`: NumPy, torch and JAX with x64 count in float64, which is exact up to 2**53 and does not wrap;
- `jax_float32`: JAX without x64 counts in int32 and, where that is too short, in double-words of float32.

`namespace` finds the system of a step. `step` and `periodic` are how schedules and shapes see a count, so that
nothing outside this package depends on how many bits a number has.
"""

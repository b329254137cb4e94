"""What the decorator `@recipe` derives from a function, and what it rejects."""

import re

import pytest

from funcsched import Schedule, constant, inverse_power
from funcsched.core.recipe import recipe
from funcsched.core.validation import concrete_nonnegative_int, level, nonnegative_int, optional


def test_the_rules_decide_which_arguments_may_be_traced() -> None:
    @recipe(width=concrete_nonnegative_int, pause=optional(nonnegative_int), lowest=optional(level))
    def made_up(warmup_steps: int, width: int, *, pause: int | None = None, lowest: float = 0.5) -> Schedule:
        return constant(lowest)

    assert type(made_up(1, 2)).static == {"width"}


def test_an_argument_without_a_rule_is_an_error() -> None:
    message = re.escape("recipe: `width` of made_up has no rule; give one: @recipe(width=rule)")
    with pytest.raises(TypeError, match=message):

        @recipe()
        def made_up(width: int) -> Schedule:
            return inverse_power(width, 0.5)


def test_a_rule_without_an_argument_is_an_error() -> None:
    with pytest.raises(TypeError, match="recipe: made_up has no argument 'timescales'"):

        @recipe(timescales=nonnegative_int)
        def made_up(timescale: int) -> Schedule:
            return inverse_power(timescale, 0.5)

"""The base of every schedule: immutable values, validation of arguments, evaluation at a step."""

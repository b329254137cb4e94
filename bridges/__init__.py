"""Bridges between `funcsched` and other libraries. There is one module or package for each library,
named after it.

From `funcsched` to optax and torch:

- `bridges.optax.to_optax(schedule, peak_value)` is a function from optax's count to the learning rate.
- `bridges.torch.lambda_lr(optimizer, schedule)` is a torch scheduler.
- `bridges.torch.to_lr_lambda(schedule)` is the `lr_lambda` of torch's own `LambdaLR`.

From other libraries to `funcsched`: functions whose names begin with ``from_`` convert an existing scheduler, function
or configuration, such as `bridges.torch.from_lr_scheduler` and `bridges.keras.from_config`. All others have the name
and the arguments of a function or class of the other library, such as `bridges.optax.cosine_decay_schedule`.

APIs that use multipliers of a base learning rate (transformers, torchtitan, Composer) return a `Schedule`. APIs that
use absolute learning rates return `Rated(schedule, peak_value)`: the learning rate is ``peak_value * schedule(step)``.

`bridges.optax` and `bridges.jax` import JAX, and `bridges.torch` imports torch. `bridges.expressions` imports the
framework of a prefix when an expression uses it. All other modules, and this package, import no framework.
"""

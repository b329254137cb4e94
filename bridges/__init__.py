"""Bridges between `funcsched` and other libraries. There is one module or package for each library,
named after it.

From `funcsched` to other libraries:

- `bridges.optax.to_optax(schedule, peak_value)` is a function from optax's count to the learning rate.
- `bridges.torch.lambda_lr(optimizer, schedule)` is a torch scheduler. `bridges.torch.Scheduler` is the same as a class
  with plain arguments, for configurations that name a class.
- `bridges.torch.to_lr_lambda(schedule)` is the `lr_lambda` of torch's own `LambdaLR`.
- `bridges.keras.to_keras(schedule, peak_value)` is a schedule of Keras' optimizers.
- `bridges.stable_baselines3.to_progress` and `bridges.fvcore.to_progress` are functions of the fraction of the run, and
  `bridges.rllib.to_knots` is a list of ``[step, value]``.
- `to_config(schedule, ...)` of the bridges to transformers, Megatron, DeepSpeed, torchtitan, timm and Composer returns
  the arguments with which that trainer runs the schedule.

From other libraries to `funcsched`: functions whose names begin with ``from_`` convert an existing scheduler, function
or configuration, such as `bridges.torch.from_lr_scheduler` and `bridges.keras.from_config`. All others have the name
and the arguments of a function or class of the other library, such as `bridges.optax.cosine_decay_schedule`. Those of
`bridges.transformers` that take an optimizer return a torch scheduler.

APIs that use multipliers of a base learning rate (such as transformers, torchtitan, Composer, fvcore, nanochat and
axolotl) return a `Schedule`. APIs that use absolute learning rates return `Rated(schedule, peak_value)`: the learning
rate is ``peak_value * schedule(step)``.

`bridges.optax` and `bridges.jax` import JAX, and `bridges.torch` imports torch. All other modules, and this package,
import no framework, except inside the functions that need one.
"""

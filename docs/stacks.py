"""Write stacks.md: the tested training stacks, what the tests check, and an example for each.

python -m docs.stacks

To add a stack, add an entry here, an example and a test module.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "stacks.md"


@dataclass(frozen=True)
class Stack:
    title: str
    packages: tuple[str, ...]  # their tested versions are in constraints.txt
    example: str
    test: str
    checked: str
    notes: tuple[str, ...] = ()  # what users of this stack should know


TORCH = [
    Stack(
        "Save and resume",
        ("torch",),
        "torch_resume",
        "test_torch_resume",
        "200 processes killed by SIGKILL at random updates, also with two groups, a late group, a kept external factor,"
        " and scheduled weight decay and betas: all hyperparameters and the final weights are bitwise identical to an"
        " uninterrupted run; checkpoints load with `weights_only=True` and with `torch.distributed.checkpoint`;"
        " checkpoints of a schedule that differs before the step of the resume, or of different base values, groups or"
        " hyperparameters are rejected",
        (
            "By default, loading the state of a different schedule or base value raises an error."
            " `lambda_lr(..., on_mismatch='warn')` warns and continues with its own values. Loading never changes the"
            " schedule or the base values. `base_values={'lr': 3e-5}` replaces those of the checkpoint.",
            "A change of the learning rate by other code (`ReduceLROnPlateau`, a manual edit) is overwritten with a"
            " warning. `on_external_change='keep'` keeps it as a factor, which the state contains.",
            "In a `SequentialLR`, load the state of the optimizer after that of the scheduler.",
            "Build the scheduler before `torch.distributed.checkpoint` loads the optimizer. Otherwise that load drops"
            " `initial_lr` from the parameter groups, and the scheduler uses the loaded learning rate as base rate.",
            "`step=` counts updates, not batches.",
        ),
    ),
    Stack(
        "Every hyperparameter",
        ("torch",),
        "torch_hyperparameters",
        "test_torch_hyperparameters",
        "weight decay, momentum, dampening and betas with their own schedules or with that of the learning rate,"
        " momentum in antiphase to OneCycleLR, values in tensors, groups that are added later, resuming",
        (
            "A group that is added later follows the same schedules from its first update. With"
            " `scheduler.add_param_group(group, schedule=..., hyperparameters=...)` it follows its own.",
            "An `lr_scale` in a group multiplies its learning rate, as in timm.",
            "A value in a tensor is filled in place. A Python number is replaced, so a compiled step that depends on it"
            " recompiles.",
        ),
    ),
    Stack(
        "torch.compile",
        ("torch",),
        "torch_compile",
        "test_torch_compile",
        "1,000 updates of six compiled optimizers (foreach, fused, capturable) with learning rates in tensors, without"
        " recompilation after the second update; schedules evaluated on the device from a step tensor, as one full"
        " graph",
        (
            "The learning rate must be a tensor: `AdamW(..., lr=torch.tensor(1e-3))`. With a Python float, SGD and"
            " foreach Adam recompile at every update until torch gives up after 8.",
            "`fullgraph=True` does not work for the step of an optimizer in torch 2.13, with or without a scheduler:"
            " torch itself breaks the graph there. The update inside is still one graph.",
            "Compile `optimizer.step` before or after calling `lambda_lr`. torch's own schedulers must be built before"
            " it is compiled.",
        ),
    ),
    Stack(
        "DistributedDataParallel",
        ("torch",),
        "ddp",
        "test_ddp",
        "two processes on gloo, resumed on one and on three: on every rank, every learning rate equals the formula"
        " exactly; the processes receive the schedule by pickle",
        ("Free the model before destroying the process group; otherwise torch can deadlock.",),
    ),
    Stack(
        "FSDP2 and torch.distributed.checkpoint",
        ("torch",),
        "fsdp2",
        "test_fsdp2",
        "two processes on gloo, resumed on one and on three: learning rates are bitwise identical to an uninterrupted"
        " run",
        ("Build the scheduler before loading the checkpoint, and load its state last.",),
    ),
    Stack(
        "transformers Trainer",
        ("transformers", "accelerate"),
        "hf_trainer",
        "test_hf_trainer",
        "the learning rate of every update and in the log, with gradient accumulation, two parameter groups and two"
        " processes; resumed runs are bitwise identical to an uninterrupted run",
        (
            "Pass `optimizers=(optimizer, lambda_lr(optimizer, schedule))`. The Trainer then ignores its own"
            " `learning_rate`, `warmup_steps` and `lr_scheduler_type`.",
            "The scheduler takes one step per update with any number of processes. More processes make fewer updates"
            " per epoch, so set `max_steps`.",
            "`global_step` includes updates that a float16 scaler skips; the schedule does not.",
        ),
    ),
    Stack(
        "transformers Trainer, more epochs",
        ("transformers", "accelerate"),
        "hf_trainer_longer",
        "test_hf_trainer_longer",
        "a resume with twice the epochs: a longer constant phase is accepted and no rate jumps; a curve that differs"
        " before the step of the checkpoint is rejected, or logged with `on_mismatch='warn'`",
        (
            "Choose a schedule that depends on the length of the run only in its last phase, such as"
            " `warmup_stable_decay`. A longer cosine is another curve from the end of its warmup on.",
            "The Trainer drops every `UserWarning` while it loads a scheduler. The logger `funcsched` gets the same"
            " message.",
        ),
    ),
    Stack(
        "Accelerate",
        ("accelerate",),
        "accelerate_loop",
        "test_accelerate",
        "14 ways to step the scheduler, with gradient accumulation, in one process and in two; `save_state` and"
        " `load_state`",
        (
            "Do not pass the scheduler to `prepare`: the prepared scheduler takes one step per process, so with N"
            " processes the curve ends N times too early. Call `scheduler.step()` if `sync_gradients` is true, as in"
            " the example, and use `register_for_checkpointing`.",
            "These alternatives also end at the right update: `split_batches=True`;"
            " `step_scheduler_with_optimizer=False` with the same condition; `stretch(schedule, N)` for a prepared"
            " scheduler.",
            "Accelerate does not notice that a fused optimizer skipped an update: use the hook from the GradScaler"
            " example.",
        ),
    ),
    Stack(
        "Lightning",
        ("lightning",),
        "lightning_trainer",
        "test_lightning",
        "the learning rate of every update, LearningRateMonitor, gradient accumulation, two parameter groups, two"
        " processes; runs resumed with `ckpt_path` are bitwise identical to an uninterrupted run",
        (
            'By default, Lightning steps the scheduler once per epoch: set `"interval": "step"`.',
            "Lightning also steps the scheduler after skipped updates: override `lr_scheduler_step` to do nothing, and"
            " use the hook from the GradScaler example.",
        ),
    ),
    Stack(
        "GradScaler",
        ("torch",),
        "grad_scaler",
        "test_grad_scaler",
        "infinite gradients at chosen updates: the applied updates follow the schedule without a gap, also with fused"
        " optimizers, gradient clipping, two optimizers, and after resuming",
        (
            "To skip an update, the scaler does not call the optimizer, except a fused one, whose `found_inf` is set"
            " instead. To detect a skipped update of a single optimizer, the scale before and after can be compared"
            " (with `>=`, not `==`). With two optimizers that share a scaler, this does not work.",
        ),
    ),
]
JAX = [
    Stack(
        "optax: several hyperparameters, groups, accumulation",
        ("optax", "jax"),
        "optax_wrappers",
        "test_optax_wrappers",
        "`inject_hyperparams` with schedules for the learning rate, weight decay and b1, `partition` and"
        " `multi_transform`, `MultiSteps`, `apply_if_finite`, `chain(scale_by_schedule)`, and the learning rate read"
        " from the state in eight nested optimizers",
        (
            "After an update, the state has the learning rate of that update; after `init`, that of the first update.",
            '`optax.tree.get(state, "learning_rate")` finds two entries with that name: filter with'
            " `lambda path, value: isinstance(value, jax.Array)`.",
            "`MultiSteps` counts updates, not batches. An update that `apply_if_finite` skips does not count; one that"
            " it applies after too many consecutive errors does.",
            "With bfloat16 parameters, `inject_hyperparams` rounds numbers and results of `to_optax` to bfloat16: a b2"
            " of 0.999 is 1. `to_optax(constant(0.999), 1, dtype=jnp.float32)` stays float32.",
        ),
    ),
    Stack(
        "Flax NNX",
        ("flax",),
        "flax_nnx",
        "test_flax_nnx",
        "the learning rate that every update applies to the weights, under `nnx.jit` and in a scan, the recorded rate,"
        " one schedule per parameter group, resuming, schedules in modules",
        ("With `MultiSteps`, `optimizer.step` counts batches and `opt_state.gradient_step` counts updates.",),
    ),
    Stack(
        "Equinox",
        ("equinox",),
        "equinox_loop",
        "test_equinox",
        "the learning rate of every update, the recorded rate, recompilation for each way to store a schedule, filters,"
        " serialized states, sweeps with `filter_vmap`",
        (
            "Python numbers in a schedule are static under `filter_jit`, so a new horizon recompiles."
            " `jax.tree.map(jnp.asarray, schedule)` is traced and compiles only once.",
            "Keep a schedule out of the tree that is trained or deserialized, or in a static field. Otherwise levels"
            " that are arrays are trained, and `tree_deserialise_leaves` overwrites the schedule.",
        ),
    ),
    Stack(
        "Orbax",
        ("orbax-checkpoint",),
        "orbax_checkpoint",
        "test_orbax",
        "runs resumed in a new process and after SIGKILL are bitwise identical to an uninterrupted run; the checkpoint"
        " of a different schedule is rejected before its state is restored",
        ("Save `snapshot(schedule)` as JSON next to the state, and call `check_resume` when restoring.",),
    ),
    Stack(
        "Sweeps",
        ("jax", "optax"),
        "sweep",
        "test_sweep",
        "one compilation for populations of seven kinds of schedules; learning rates are bitwise identical to separate"
        " runs, and weights within 2e-6 (float32) or 4e-15 (x64), because XLA sums a batch in a different order",
        ("All members need the same treedef, because shapes, exponents and `cycles` are static.",),
    ),
    Stack(
        "Hypergradients",
        ("jax", "optax"),
        "hypergradients",
        "test_hypergradients",
        "gradients of the final loss with respect to the peak, warmup, total steps and end, through a scan, against"
        " central differences: within 1e-12 in x64 and 2e-5 in float32",
        (
            "A warmup or horizon that is differentiated is a traced float and need not be an integer. At an integer,"
            " the curve has a kink, and the gradient is between the one-sided derivatives.",
            "Traced parameters are not validated: clip them to their range.",
        ),
    ),
    Stack(
        "Many devices",
        ("jax",),
        "sharded",
        "test_sharded",
        "`jit` with NamedSharding (replicated and sharded weights, explicit axes) and `shard_map` on 8 host devices:"
        " equal learning rates, the same collectives as with a constant rate, no transfers",
    ),
    Stack(
        "Many processes",
        ("jax",),
        "jax_distributed",
        "test_jax_distributed",
        "`jax.distributed` with two processes on loopback, resumed on one process and on two: equal learning rates",
    ),
    Stack(
        "Lowering for CUDA, ROCm and TPU",
        ("jax", "flatbuffers"),
        "lowering",
        "test_lowering_of_steps",
        "`jax.export` of a training step with every schedule of the catalogue, of six optimizers and of a loop: no"
        " custom call, callback or collective; the serialized step runs without this library",
        (
            "Kernels that a schedule adds to a compiled CPU step, compared with a constant rate: one for half of the"
            " schedules (the count, as with optax's own schedules), two or three for most others, up to nine for"
            " compositions of many pieces. The learning rate is fused into the updates of the weights.",
        ),
    ),
]
UNTESTED = {
    "GPUs and TPUs": "these tests only lower steps for CUDA, ROCm and TPU. `python -m benchmarks.device` has measured"
    " guarantees, kernels, step times, a CUDA graph and bandwidth on one NVIDIA H200 (see"
    " [accuracy](accuracy.md#on-a-gpu)). NCCL and float16 training are untested.",
    "Apple's `mps`": "not available for these tests. It has no float64, which schedules need on torch: evaluate them"
    " on the CPU.",
    "TensorFlow, MLX, Paddle and tinygrad on a GPU": "schedules on their arrays are tested on the CPU (see"
    " [accuracy](accuracy.md#tensorflow-mlx-paddle-and-tinygrad)).",
    "MindSpore": "its arrays are not supported. `bridges.rllib.to_knots` writes a schedule as a list of points.",
    "Several hosts": "the processes of these tests run on one machine.",
    "The training engines of DeepSpeed, Megatron-LM, Composer and MaxText": "they need accelerators. The curves of"
    " their schedulers are tested (see the catalogue).",
}
HEAD = """# Training stacks

These stacks are tested with the real libraries, on CPU, at the versions in `constraints.txt`. This page is generated by
`python -m docs.stacks`. To run an example: `pip install -c constraints.txt -e ".[stacks]"`, then
`python examples/stacks/NAME.py`.

"""


def versions(stack: Stack) -> str:
    """The tested versions, from the constraints file."""
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    return ", ".join(f"{package} {pins[package]}" for package in stack.packages)


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    for title, stacks in {"PyTorch": TORCH, "JAX": JAX}.items():
        parts.append(f"## {title}\n\n| stack | version | example | what is tested |\n| --- | --- | --- | --- |\n")
        parts += [
            f"| [{stack.title}](#{anchor(stack.title)}) | {versions(stack)} |"
            f" [{stack.example}.py](../examples/stacks/{stack.example}.py) | {stack.checked} |\n"
            for stack in stacks
        ]
        parts.append("\n")
    parts.append("## Not tested\n\n| what | why |\n| --- | --- |\n")
    parts += [f"| {what} | {why} |\n" for what, why in UNTESTED.items()]
    parts.append("\n## Examples\n")
    parts += [section(stack) for stack in (*TORCH, *JAX)]
    return "".join(parts)


def anchor(title: str) -> str:
    """The anchor of a heading, as GitHub generates it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def section(stack: Stack) -> str:
    """The section of one stack: a summary, notes and the example."""
    source = (ROOT / "examples" / "stacks" / f"{stack.example}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    summary = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
    code = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip()
    notes = "".join(f"- {note}\n" for note in stack.notes)
    tested = f"Tested by [{stack.test}.py](../tests/stacks/{stack.test}.py).\n"
    return f"\n### {stack.title}\n\n{summary} {tested}\n{notes}{chr(10) if notes else ''}```python\n{code}\n```\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{len(TORCH) + len(JAX)} stacks")


if __name__ == "__main__":
    main()

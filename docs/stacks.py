"""Write `stacks.md`: which training stacks were tested with the real library, what was checked, and an example of each.

`python -m docs.stacks`. A new stack is one entry here, an example and a test module.
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
    packages: tuple[str, ...]  # whose tested versions are in constraints.txt
    example: str
    test: str
    checked: str
    facts: tuple[str, ...] = ()  # what a user of the two together should know


TORCH = [
    Stack(
        "Save and resume",
        ("torch",),
        "torch_resume",
        "test_torch_resume",
        "300 processes killed by SIGKILL at random updates: every rate and the last weights bit for bit those of the"
        " run without interruption; files under `weights_only=True` and in `torch.distributed.checkpoint`; the"
        " checkpoint of another schedule, base rate, number of groups or hyperparameter refused",
        (
            "`lambda_lr(..., on_mismatch='warn')` goes on with its own schedule and warns; the default refuses. The"
            " file never overwrites a schedule or a base rate.",
            "Build the scheduler before `torch.distributed.checkpoint` loads the optimizer: that load drops the"
            " `initial_lr` of groups that do not have it yet, and the rate of the moment would become the base rate.",
            "`step=` counts the updates that were made, not the batches.",
        ),
    ),
    Stack(
        "Every hyperparameter",
        ("torch",),
        "torch_hyperparameters",
        "test_torch_hyperparameters",
        "weight decay, momentum, dampening and betas on schedules of their own or on the curve of the rate, momentum in"
        " anti-phase beside OneCycleLR, values in tensors, groups added later, resume",
        (
            "A group that is added runs by the same schedules from its first update; where each group has a schedule"
            " of its own, `add_param_group` refuses it.",
            "A value in a tensor is filled in place. A Python number is replaced, and a compiled step that depends on"
            " it compiles anew.",
        ),
    ),
    Stack(
        "torch.compile",
        ("torch",),
        "torch_compile",
        "test_torch_compile",
        "a thousand updates of six optimizers (foreach, fused, capturable) compiled with tensor rates, without a"
        " recompilation after the first; schedules evaluated on the device from a step tensor, as one full graph",
        (
            "The rate must be a tensor: `AdamW(..., lr=torch.tensor(1e-3))`. With a float, SGD and foreach Adam"
            " compile at every update until torch gives up after 8.",
            "`fullgraph=True` of an optimizer's step does not work in torch 2.13, with or without a scheduler: the"
            " optimizer breaks the graph itself. The update inside is still one graph.",
            "Compile `optimizer.step` after `lambda_lr` has been called.",
        ),
    ),
    Stack(
        "DistributedDataParallel",
        ("torch",),
        "ddp",
        "test_ddp",
        "two processes on gloo, resumed on one and on three: rates of all ranks `==` the formula at every update;"
        " workers receive the schedule by pickle",
        ("Free the model before the process group is destroyed: torch can deadlock otherwise.",),
    ),
    Stack(
        "FSDP2 and torch.distributed.checkpoint",
        ("torch",),
        "fsdp2",
        "test_fsdp2",
        "two processes on gloo, resumed on one and on three: rates bit for bit those without interruption",
        ("Build the scheduler before the checkpoint is loaded, and load its state last.",),
    ),
    Stack(
        "transformers Trainer",
        ("transformers", "accelerate"),
        "hf_trainer",
        "test_hf_trainer",
        "every update and the logged rates, with accumulation, two groups and two processes; resume from a checkpoint"
        " bit for bit",
        (
            "Give the pair as `optimizers=(optimizer, lambda_lr(optimizer, schedule))`. The Trainer's own"
            " `learning_rate`, `warmup_steps` and `lr_scheduler_type` are ignored then.",
            "It takes one step per update in any number of processes. More processes make fewer updates per epoch: set"
            " `max_steps`.",
            "`global_step` counts the updates that a scaler of float16 leaves out; the schedule does not.",
        ),
    ),
    Stack(
        "Accelerate",
        ("accelerate",),
        "accelerate_loop",
        "test_accelerate",
        "14 ways to take steps, with accumulation, in one and in two processes; `save_state` and `load_state`",
        (
            "Do not give the scheduler to `prepare`: its wrapper takes one step per process, so that with N processes"
            " the curve ends N times too early. Take a step where `sync_gradients` holds, as in the example, and"
            " `register_for_checkpointing`.",
            "Other ways that end where they should: `split_batches=True`; `step_scheduler_with_optimizer=False` with"
            " the same condition; `stretch(schedule, N)` for a prepared scheduler.",
            "For a fused optimizer Accelerate does not see that an update was skipped: use the hook of the example of"
            " GradScaler.",
        ),
    ),
    Stack(
        "Lightning",
        ("lightning",),
        "lightning_trainer",
        "test_lightning",
        "every update, LearningRateMonitor, accumulation, two groups, two processes; resume by `ckpt_path` bit for bit",
        (
            'The interval is the epoch unless you say `"interval": "step"`.',
            "Lightning takes a step after skipped updates too: override `lr_scheduler_step` to do nothing, and use the"
            " hook of the example of GradScaler.",
        ),
    ),
    Stack(
        "GradScaler",
        ("torch",),
        "grad_scaler",
        "test_grad_scaler",
        "gradients made infinite at chosen updates: the updates that were made follow the curve without a gap, also"
        " fused, with clipping, two optimizers and resume",
        (
            "Whether an update was skipped is in `optimizer.found_inf`, also where a fused optimizer's `step` is called"
            " all the same. Comparing the scale before and after works for one optimizer (`>=`, not `==`), and is wrong"
            " for two that share a scaler.",
        ),
    ),
]
JAX = [
    Stack(
        "optax: several hyperparameters, groups, accumulation",
        ("optax", "jax"),
        "optax_wrappers",
        "test_optax_wrappers",
        "`inject_hyperparams` with rate, decay and b1 at once, `partition` and `multi_transform`, `MultiSteps`,"
        " `apply_if_finite`, `chain(scale_by_schedule)`, and the rate read from the state inside eight nestings",
        (
            "After an update the state holds the rate of the update just made; after `init`, that of the first.",
            '`optax.tree.get(state, "learning_rate")` finds two entries of that name: filter by'
            " `lambda path, value: isinstance(value, jax.Array)`.",
            "`MultiSteps` counts real updates. An update that `apply_if_finite` skips does not count; one that it"
            " applies after too many errors in a row does.",
            "With bfloat16 parameters `inject_hyperparams` rounds a constant b2 of 0.999 to 1. A schedule,"
            " `to_optax(constant(0.999))`, stays float32.",
        ),
    ),
    Stack(
        "Flax NNX",
        ("flax",),
        "flax_nnx",
        "test_flax_nnx",
        "the rate of each update by the move of the weights, under `nnx.jit` and in a scan, the logged rate, a schedule"
        " per group, resume, schedules inside modules",
        ("With `MultiSteps`, `optimizer.step` counts batches; `opt_state.gradient_step` counts updates.",),
    ),
    Stack(
        "Equinox",
        ("equinox",),
        "equinox_loop",
        "test_equinox",
        "the rate of each update, the logged rate, what compiles anew for each way to hold a schedule, filters,"
        " serialised state, sweeps by `filter_vmap`",
        (
            "The Python numbers of a schedule are static under `filter_jit`: a new horizon compiles anew."
            " `jax.tree.map(jnp.asarray, schedule)` is traced, and compiles once for all.",
            "Keep a schedule out of the tree that is trained or deserialised, or in a static field: levels that are"
            " arrays would be trained, and `tree_deserialise_leaves` overwrites what it finds.",
        ),
    ),
    Stack(
        "Orbax",
        ("orbax-checkpoint",),
        "orbax_checkpoint",
        "test_orbax",
        "resume in another process and after SIGKILL bit for bit; the checkpoint of another schedule refused before"
        " anything is restored",
        ("`snapshot(schedule)` goes beside the state as JSON, and `check_resume` compares it on restore.",),
    ),
    Stack(
        "Sweeps",
        ("jax", "optax"),
        "sweep",
        "test_sweep",
        "one compilation for a population of schedules of seven kinds; rates bit for bit those of separate runs,"
        " weights within 2e-6 (float32) and 4e-15 (x64): XLA orders the sums of a batch differently",
        ("All members have one structure: shapes, exponents and `cycles` are part of it.",),
    ),
    Stack(
        "Hypergradients",
        ("jax", "optax"),
        "hypergradients",
        "test_hypergradients",
        "gradients of the final loss by peak, warmup, total and end through a scan, against central differences:"
        " 1e-12 in x64, 2e-5 in float32",
        (
            "A warmup or a horizon to be differentiated is a traced float, and may be fractional. At an integer of"
            " steps the curve has a bend there: the gradient lies between the two slopes.",
            "Traced numbers are not checked: clip them to their range.",
        ),
    ),
    Stack(
        "Many devices",
        ("jax",),
        "sharded",
        "test_sharded",
        "`jit` with NamedSharding (whole, split, explicit axes) and `shard_map` on 8 host devices: equal rates, the"
        " same collectives as with a constant rate, no transfer",
    ),
    Stack(
        "Many processes",
        ("jax",),
        "jax_distributed",
        "test_jax_distributed",
        "`jax.distributed` with two processes on loopback: equal rates; resume on one process and on two",
    ),
    Stack(
        "Lowering for CUDA, ROCm and TPU",
        ("jax", "flatbuffers"),
        "lowering",
        "test_lowering_of_steps",
        "`jax.export` of a training step with every schedule of the catalogue, six optimizers and a loop: no custom"
        " call, callback or collective; the serialised step runs without this library",
        (
            "Kernels that a schedule adds to a compiled CPU step, over a constant rate: one (the count, as with optax's"
            " own schedules) for half of the schedules, two or three for most others, up to nine for compositions of"
            " many pieces. The rate itself is fused into the updates of the weights.",
        ),
    ),
]
UNTESTED = {
    "Any GPU or TPU": "none was at hand: lowered for CUDA, ROCm and TPU, never run there. So are NCCL, CUDA graphs,"
    " float16 training on a GPU, and the count of kernels there.",
    "Apple's `mps`": "no such machine; it has no float64, which schedules need on torch: evaluate on the CPU.",
    "More than one host": "the processes of these tests share one machine.",
    "The training engines of DeepSpeed, Megatron-LM, Composer, MaxText": "they ask for accelerators. The curves of"
    " their schedulers are tested (see the catalogue).",
}
HEAD = """# Training stacks

What was tested with the real library in the loop, on CPU, at the versions of `constraints.txt`. Written by
`python -m docs.stacks`. To run an example: `pip install -c constraints.txt -e ".[stacks]"`, then
`python examples/stacks/NAME.py`.

"""


def versions(stack: Stack) -> str:
    """The tested versions, out of the constraints file."""
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    return ", ".join(f"{package} {pins[package]}" for package in stack.packages)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, stacks in {"PyTorch": TORCH, "JAX": JAX}.items():
        parts.append(f"## {title}\n\n| stack | version | example | what was checked |\n| --- | --- | --- | --- |\n")
        parts += [
            f"| [{stack.title}](#{anchor(stack.title)}) | {versions(stack)} |"
            f" [{stack.example}.py](../examples/stacks/{stack.example}.py) | {stack.checked} |\n"
            for stack in stacks
        ]
        parts.append("\n")
    parts.append("## Untested\n\n| what | why |\n| --- | --- |\n")
    parts += [f"| {what} | {why} |\n" for what, why in UNTESTED.items()]
    parts.append("\n## Examples\n")
    parts += [text(stack) for stack in (*TORCH, *JAX)]
    return "".join(parts)


def anchor(title: str) -> str:
    """The place of a heading in its page, as GitHub names it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def text(stack: Stack) -> str:
    """The part of the page about one stack."""
    source = (ROOT / "examples" / "stacks" / f"{stack.example}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    summary = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
    code = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip()
    facts = "".join(f"- {fact}\n" for fact in stack.facts)
    tested = f"Tested by [{stack.test}.py](../tests/stacks/{stack.test}.py).\n"
    return f"\n### {stack.title}\n\n{summary} {tested}\n{facts}{chr(10) if facts else ''}```python\n{code}\n```\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{len(TORCH) + len(JAX)} stacks")


if __name__ == "__main__":
    main()

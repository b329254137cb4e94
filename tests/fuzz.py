"""Fuzzing of `parse`, `from_dict`, plans and `load_state_dict`.

Every input must give a schedule (a loaded scheduler), a ValueError or a TypeError within a second. A state that is
rejected must leave the scheduler and its optimizer unchanged.

Usage: python -m tests.fuzz COUNT [SEED]
"""

from __future__ import annotations

import json
import logging
import math
import resource
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from random import Random
from reprlib import Repr
from typing import Any, NamedTuple

import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import ScheduleLR, lambda_lr
from funcsched.core.value import Value
from funcsched.serialization import expression as expressions
from funcsched.serialization.data import registry
from tests.cases import CASES, LONG

MAX_SECONDS = 1.0  # CPU time for one input, which does not depend on the load of the machine
MAX_MEGABYTES = 300  # added by the whole run
SCHEDULES = [case.schedule for case in [*CASES, *LONG]]
PLANS = [fs.published(name) for name in fs.published()]
EXPRESSIONS = [*(case.text for case in CASES), *map(str, SCHEDULES)]
FACTORIES = registry()
NAMES = sorted(FACTORIES)
# The text of a schedule that is close to a limit may exceed it, so these errors are allowed in a round trip.
LIMITS = (" nested calls", " nested brackets", " characters long", " levels deep")

NUMBERS = (
    "0 1 2 3 7 10 100 1_000 1e3 0.1 0.5 .5 5. -1 -0.0 1e-3 1.5 0.99 1.001 1e6 1e-9 1e-30 1e30 1e-31 3.4e38 1e39 1e308"
    " 1e400 -1e400 1e-400 5e-324 9007199254740992 9007199254740993 4294967296 2147483647 2147483648 007 0x10 1__0 1e"
    " 1e+ 1j 0.30000000000000004 1e99999999999999999999 340282346638528859811704183484516925440"
).split()
NAMED = {"total": 1000, "peak": 0.25, "huge": 10**300, "tiny": 5e-324, "negative": -3}  # given to `parse`
NUMBERS += [*NAMED, "9" * 309, "9" * 401, "9" * 5000, "0." + "3" * 300, "1_" * 300 + "1"]
WORDS = [*NAMES, "fs.cosine", "funcsched.ramp", "fs.", "fs", "lift", "tabulate", "True", "False", "None", "nan", "inf"]
WORDS += ["schedules", "boundaries", "shape", "steps", "lambda", "__import__", "fs.__class__", "eval", "import", "for"]
WORDS += "not await yield if else or is 1if 1is 0x1for ... __debug__ fs.None match".split()
MARKS = ["(", ")", "[", "]", ",", "=", "+", "-", "'", '"', "'triangular2'", "''", "\n", "\t", " ", "\\", ".", ":", "*"]
MARKS += "** // := == ''' f'{ }' b'' '\\d' not( (yield [0] () { } # ;".split()
MARKS += ["\r", "\r\n", "\f", "\\\n", "\x00", "\ud800", "\udfff", "\u0661", "\uff11", "\u00a0", "\ufeff", "\u202e"]
MARKS += ["\xe9", "\U0001d7d9", "\U0001d4ea"]
TOKENS = [*NUMBERS, *WORDS, *MARKS]
# Pairs that `nested` repeats around a text.
AROUND = [("(", ")"), ("[", "]"), ("add(", ")"), ("shift(", ", 1)"), ("reverse(", ")"), ("add([", "])"), ("-", "")]
AROUND += [("1-(", ")"), ("(1)*", "1"), ("1/", "1"), ("huge*", "1"), ("- + ", "")]
AROUND += [("constant(", ")"), ("fs.", ""), ("_", ""), ("1,", ""), ("' ", " '"), ("\n", "\n"), ("e+1", ""), ("1.", "")]


class Input(NamedTuple):
    """A function and its argument."""

    function: Callable[[Any], Any]
    argument: Any


class Slow(BaseException):
    """Raised when an input takes too long. It is not an Exception, so that no other handler catches it."""


def parse_plan(text: Any) -> fs.Plan:
    """`Plan.parse` with names."""
    return fs.Plan.parse(text, **NAMED)


def parse(text: Any) -> fs.Schedule:
    """`funcsched.parse` with names."""
    return expressions.parse(text, **NAMED)


# Texts.


def expression(random: Random) -> str:
    """A valid expression from the test cases."""
    return random.choice(EXPRESSIONS)[:2000]


def plan(random: Random) -> str:
    """The expression of a published plan."""
    return repr(random.choice(PLANS))


def mutated(random: Random, whole: Callable[[Random], str] = expression) -> str:
    """An expression in which parts were removed, repeated, moved or replaced."""
    text = whole(random)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        start = random.randrange(len(text) + 1)
        stop = min(len(text), start + random.choice((0, 1, 1, 2, 5, 20)))
        other = expression(random)
        cut = random.randrange(len(other) + 1)
        middle = random.choice(
            (
                "",
                text[start:stop] * random.randrange(4),
                text[start:stop][::-1],
                random.choice(TOKENS),
                chr(random.randrange(0x300)),
                other[cut : cut + random.randrange(40)],
            )
        )
        text = text[:start] + middle + text[stop:]
    return text


def tokens(random: Random) -> str:
    """A random sequence of tokens."""
    return random.choice(("", " ")).join(random.choices(TOKENS, k=random.randrange(1, 30)))


def nested(random: Random) -> str:
    """Deeply nested brackets, calls or strings, or one token repeated many times."""
    count = random.choice((1, 10, 49, 50, 51, 100, 1000, 10_000))
    opening, closing = random.choice(AROUND)
    inner = random.choice(["", "1", "constant()", "cosine", "power(2)", random.choice(TOKENS)])
    text = opening * count + inner + closing * random.choice((count, count, count - 1, count + 1))
    return random.choice(("{}", "table([{}])", "ramp(0, 1, steps=5, shape={})")).replace("{}", text)


def random_call(random: Random, depth: int = 4) -> str:
    """A well-formed call whose arguments may be invalid."""
    if depth == 0 or random.random() < 0.3:
        pool = random.choice((NUMBERS[:20], NUMBERS, ["constant()", "cosine", "sqrt", "warmup_linear(3, 9)"], TOKENS))
        return random.choice(pool)
    if random.random() < 0.15:
        return "[" + ", ".join(random_call(random, depth - 1) for _ in range(random.randrange(5))) + "]"
    name = random.choice(NAMES)
    factory = FACTORIES[name]
    if isinstance(factory, Value):
        return name
    code = getattr(factory, "__wrapped__", factory).__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = [
        f"{argument}={likely_argument(random, argument, depth - 1)}" for argument in names if random.random() < 0.9
    ]
    if not names or random.random() < 0.1:
        given = [random_call(random, depth - 1) for _ in range(random.randrange(4))]
    return f"{name}({', '.join(given)})"


def arithmetic(random: Random, depth: int = 3) -> str:
    """A number, or an expression of numbers."""
    if depth == 0 or random.random() < 0.3:
        return random.choice((*NAMED, "1", "2", "3.0", "0.5", random.choice(NUMBERS)))
    first, second = arithmetic(random, depth - 1), arithmetic(random, depth - 1)
    operator = random.choice((" + ", "-", " * ", "/", "//", "- -", " ** ", " % "))
    return random.choice(("{}", "({})", "-({})")).replace("{}", f"{first}{operator}{second}")


def likely_argument(random: Random, argument: str, depth: int) -> str:
    """A value that is often valid for an argument."""
    if random.random() < 0.1:
        return random_call(random, depth)
    if random.random() < 0.1:
        return arithmetic(random)
    if argument == "schedule":
        return random.choice(["constant()", "warmup_linear(3, 9)", random_call(random, depth), expression(random)])
    if argument in ("schedules", "boundaries", "levels", "factors", "values"):
        pool = NUMBERS if argument != "schedules" else ["constant()", "step_decay(3)"]
        count = random.choice((0, 1, 2, 3, 3, 30))
        if argument == "boundaries" and random.random() < 0.8:
            return str(sorted(random.randrange(1000) for _ in range(count)))
        return "[" + ", ".join(random.choices(pool, k=count)) + "]"
    if "shape" in argument or argument in ("outer", "inner"):
        return random.choice(
            ["cosine", "log", "power(3)", "exponential(1e-30)", "tanh(-40, 40)", random_call(random, depth)]
        )
    if argument == "mode":
        return random.choice(["'triangular'", "'triangular2'", "'exp_range'", "''"])
    if "steps" in argument or argument in ("period", "times", "timescale", "boundary", "cycles"):
        return random.choice(("0", "1", "3", "7", "10", "1_000", "1e3", random.choice(NUMBERS)))
    return random.choice(("0.1", "0.5", "1", "2", "1e-3", "1e-30", "1e30", random.choice(NUMBERS)))


def characters(random: Random) -> str:
    """Random characters, including lone surrogates."""
    top = random.choice((0x80, 0x100, 0x10000, 0x110000))
    return "".join(chr(random.randrange(top)) for _ in range(random.randrange(60)))


def decoded(random: Random) -> str | bytes:
    """Random bytes, decoded in various ways or not at all."""
    raw = random.randbytes(random.randrange(60))
    if random.random() < 0.5:
        text = mutated(random).encode("utf-8", "surrogatepass")
        place = random.randrange(len(text) + 1)
        raw = text[:place] + raw[:3] + text[place + random.randrange(3) :]
    encoding = random.choice(("latin-1", "utf-8", "utf-16", "none"))
    return raw if encoding == "none" else raw.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


# Plain data.


def ring() -> list[Any]:
    """A list that contains itself."""
    ring: list[Any] = []
    ring.append(ring)
    return ring


def loop() -> dict[str, Any]:
    """A schedule that contains itself."""
    loop: dict[str, Any] = {}
    loop["shift"] = {"schedule": loop, "steps": 1}
    return loop


def deep(depth: int) -> list[Any]:
    """Nested lists."""
    return [deep(depth - 1)] if depth else []


def chain(names: tuple[str, ...], depth: int) -> Any:
    """Nested schedules or shapes."""
    inner: Any = {"constant": {}}
    for i in range(depth):
        name = names[i % len(names)]
        inner = {name: {{"add": "schedules", "reverse": "shape"}.get(name, "schedule"): [inner] if i % 2 else inner}}
    return inner


def wide(name: str | None) -> Any:
    """Each level contains the next one twice, as YAML anchors allow: 2**40 nodes in total."""
    inner: Any = {"constant": {}}
    for _ in range(40):
        inner = {name: {"schedules": [inner, inner]}} if name else [inner, inner]
    return inner


# Values that are never valid, or valid only as certain arguments.
ODD: list[Any] = [None, True, -1, 0, 1, 10**400, 10**5000, -(10**5000), 0.1, -0.0, math.nan, math.inf, 1e308]
ODD += [5e-324, 1j, "", "add"]
ODD += ["cosine", "constant", "\ud800", "x" * 10_000, b"cosine", [], {}, (), set(), [[]], [1, [2]], {"cosine": {}}]
ODD += [{"constant": {}}, {"constant": []}, {1: 2}, {None: {}}, {(): {}}, {"constant": {}, "add": {}}, range(3)]
ODD += [{"constant": {1: 1}}, {"__class__": {}}, {"lift": {"function": 1}}, object(), ring(), loop(), deep(60)]
ODD += [list(range(2000)), wide("add"), wide(None), chain(("shift",), 60), chain(("reverse",), 60), chain(("add",), 48)]
ODD += [deep(900), chain(("shift", "scale", "add"), 2000)]


def strange(random: Random) -> Any:
    """A value of an unexpected kind."""
    return random.choice(ODD)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Up to 300 places in the data, each as a container and a key."""
    stack, found, seen = [data], [], set()
    while stack and len(found) < 300:
        container = stack.pop()
        if id(container) in seen or any(container is odd for odd in ODD):  # must not be changed
            continue
        seen.add(id(container))
        for key in list(container) if isinstance(container, dict) else range(min(len(container), 50)):
            found.append((container, key))
            if isinstance(container[key], (dict, list)):
                stack.append(container[key])
    return found


def data(random: Random) -> Any:
    """Plain data in which values, names and arguments were removed, moved or replaced."""
    return changed(random, fs.to_dict(random.choice(SCHEDULES)))


def changed(random: Random, result: Any) -> Any:
    """Plain data, changed in place."""
    if random.random() < 0.02:
        return strange(random)
    if "schedule" in result and random.random() < 0.3:
        result["schedule"] = {"then": {"schedule": result["schedule"], "boundary": random.randrange(50), "steps": 3}}
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        found = places(result)
        if not found:
            break
        container, key = random.choice(found)
        kind = random.randrange(6)
        if kind == 0:
            container[key] = strange(random)
        elif kind == 1:
            other, place = random.choice(found)
            container[key] = other[place]  # possibly a cycle
        elif kind == 2 and isinstance(container, dict):
            container[random.choice([*NAMES, "schedule", "schedules", 1, None, ""])] = container.pop(key)
        elif kind == 3:
            container.pop(key)
        elif kind == 4 and isinstance(container[key], (int, float)):
            container[key] = number(random)
        else:
            container[key] = fs.to_dict(random.choice(SCHEDULES))["schedule"]
        if not isinstance(result, dict):
            break
    return result


def number(random: Random) -> int | float:
    """A number of any magnitude."""
    return random.choice(
        (
            random.randrange(100),
            random.random(),
            10 ** random.randrange(60),
            -random.random(),
            2.0 ** random.randrange(999),
        )
    )


# States of schedulers.


def scheduler(kind: int) -> ScheduleLR:
    """A scheduler at step 0: of one group, of a function, of two groups and a late one with hyperparameters, or of one
    group that follows a metric."""
    parameters = [torch.zeros(1, requires_grad=True) for _ in range(3)]
    groups = [{"params": [parameter], "lr": lr} for parameter, lr in zip(parameters, (0.5, 0.25, 0.125), strict=True)]
    curve = fs.warmup_cosine(4, 40, end=0.1)
    if kind == 0:
        return lambda_lr(torch.optim.SGD(groups[:1]), curve, on_mismatch="warn")
    if kind == 1:
        return lambda_lr(torch.optim.SGD(groups[:1]), lambda step: 1 / (step + 1))
    if kind == 3:
        controller = fs.greedy(patience=1, window_size=2)
        return lambda_lr(torch.optim.SGD(groups[:1]), curve, controller=controller, on_mismatch="warn")
    optimizer = torch.optim.AdamW(groups[:2], betas=(0.5, 0.75), weight_decay=0.25)
    keys = {"weight_decay": [curve, Rated(curve, 0.5)], "betas": (fs.lerp(curve, 0.25, 0.5), None)}
    result = lambda_lr(optimizer, curve, hyperparameters=keys, on_external_change="keep")
    result.add_param_group(groups[2], fs.warmup_linear(4, 40), {"weight_decay": None})
    return result


def saved_state(kind: int, step: int) -> dict[str, Any]:
    """The state after some updates, with a kept change of the learning rate."""
    saved = scheduler(kind)
    for _ in range(step):
        saved.optimizer.step()
        saved.step(metric=float(kind) if kind == 3 else None)
    if kind == 2 and step:
        saved.optimizer.param_groups[0]["lr"] *= 0.5
    return saved.state_dict()


def values(loaded: ScheduleLR) -> Any:
    """What a rejected state must not change. As text, NaN equals NaN."""
    groups = [{key: value for key, value in g.items() if key != "params"} for g in loaded.optimizer.param_groups]
    return repr(
        (loaded.last_epoch, loaded.get_last_lr(), loaded._factors, loaded._metric and loaded._metric.state, groups)
    )


STATES = [(kind, saved_state(kind, step)) for kind in range(4) for step in (0, 3, 30)]
UNCHANGED = [values(scheduler(kind)) for kind in range(4)]


def load_state_dict(given: tuple[int, Any]) -> ScheduleLR:
    """Load a state into a new scheduler; raises an AssertionError if a rejected state has changed anything."""
    kind, state = given
    result = scheduler(kind)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            result.load_state_dict(state)
    except Exception as error:
        if values(result) != UNCHANGED[kind]:
            raise AssertionError("a rejected state has changed the optimizer") from error
        raise
    finally:
        logging.disable(logging.NOTSET)
    return result


def state(random: Random) -> tuple[int, Any]:
    """The state of a scheduler in which entries were removed, or values replaced by others of any type or magnitude."""
    kind, saved = random.choice(STATES)
    result: Any = deepcopy(saved)
    if random.random() < 0.02:
        return kind, strange(random)
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        target = random.randrange(3)
        if target == 0:
            alter(random, result, strange)
        elif target == 1 and isinstance(result.get("schedules"), str):
            text = result["schedules"]
            start = random.randrange(len(text) + 1)
            middle = random.choice(("", "[", "}", ",", '"', "1e999", "-", "null", text[start : start + 9] * 2))
            result["schedules"] = text[:start] + middle + text[start + random.choice((0, 1, 9)) :]
        else:
            try:
                description = json.loads(result["schedules"])
                alter(random, description, plain)
                result["schedules"] = json.dumps(description)
            except (KeyError, TypeError, ValueError, RecursionError):  # an earlier change has replaced it
                continue
    return kind, result


def plain(random: Random) -> Any:
    """A value that JSON can contain."""
    schedule = fs.to_dict(random.choice(SCHEDULES))["schedule"]
    odd = [None, True, "", "add", [], {}, [[]], {"constant": {}}, {"constant": []}, math.nan, math.inf, 10**400]
    return random.choice([*odd, deep(60), schedule])


def alter(random: Random, container: Any, replacement: Callable[[Random], Any]) -> None:
    """Remove, move or replace one value in plain data."""
    found = places(container)
    if not found:
        return
    inner, key = random.choice(found)
    kind = random.randrange(5)
    if kind == 0:
        inner.pop(key)
    elif kind == 1:
        other, place = random.choice(found)
        inner[key] = other[place]  # possibly a cycle
    elif kind == 2 and isinstance(inner[key], (int, float)):
        inner[key] = random.choice((number(random), -1, 0, True, "1", -inner[key]))
    elif kind == 3 and isinstance(inner, dict):
        inner[random.choice([*inner, "lr", "schedule", "samples", "peak_value", "base_value", ""])] = inner.pop(key)
    else:
        inner[key] = replacement(random)


TEXTS = (mutated, mutated, tokens, random_call, random_call, characters, decoded)


def random_input(random: Random) -> Input:
    """A text or data of a schedule or a plan, or a state for `load_state_dict`."""
    if random.random() < 0.1:
        return Input(load_state_dict, state(random))
    if random.random() < 0.1:
        return Input(parse_plan, mutated(random, plan))
    if random.random() < 0.1:
        return Input(fs.Plan.from_dict, changed(random, random.choice(PLANS).to_dict()))
    if random.random() < 0.25:
        return Input(fs.from_dict, data(random))
    return Input(parse, (nested if random.random() < 0.02 else random.choice(TEXTS))(random))


# Running inputs.


def plan_returns(plan: fs.Plan) -> bool:
    """Whether a plan comes back from its text and its data. Text that was mutated may contain other characters."""
    try:
        return fs.Plan.parse(str(plan)) == plan and fs.Plan.from_dict(plan.to_dict()) == plan
    except fs.ParseError as error:
        return any(limit in str(error) for limit in (*LIMITS, "only ASCII without backslashes"))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise Slow after a number of seconds of CPU time."""

    def stop(*_: Any) -> None:
        raise Slow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def outcome_and_fault(given: Input) -> tuple[str, str | None]:
    """The outcome of an input, and what is wrong with it, if anything."""
    name = "Plan.from_dict" if given.function is fs.Plan.from_dict else given.function.__name__
    try:
        with time_limit(MAX_SECONDS):
            try:
                schedule = given.function(given.argument)
            except (TypeError, ValueError) as error:
                return f"{name}: {type(error).__name__}", _message_fault(name, error)
            if isinstance(schedule, ScheduleLR):
                return f"{name}: a scheduler", None if reloads(schedule, given.argument[0]) else "does not load again"
            if isinstance(schedule, fs.Plan):
                return f"{name}: a plan", None if plan_returns(schedule) else "the round trip gives another plan"
            text, data = str(schedule), fs.to_dict(schedule)
            try:
                same = parse(text) == schedule and fs.from_dict(data) == schedule
            except ValueError as error:
                same = any(limit in str(error) for limit in LIMITS)
        return f"{name}: a schedule", None if same else "the round trip gives another schedule"
    except (Slow, Exception) as error:
        return f"{name}: {type(error).__name__}", f"{type(error).__name__}: {str(error)[:200]}"


def reloads(loaded: ScheduleLR, kind: int) -> bool:
    """Whether a new scheduler with the state of a loaded one has the same values."""
    again = load_state_dict((kind, loaded.state_dict()))
    return bool(values(again) == values(loaded))


def _message_fault(name: str, error: Exception) -> str | None:
    """What is wrong with an error message."""
    if not str(error).startswith("Plan" if "plan" in name.lower() else f"{name}: "):
        return f"the message does not name the function: {str(error)[:200]}"
    if name == "parse" and isinstance(error, TypeError) and "must be a string" not in str(error):
        return f"a TypeError for a text: {str(error)[:200]}"
    return f"a message of {len(str(error))} characters" if len(str(error)) > 300_000 else None


class Report(NamedTuple):
    """The results of a run."""

    outcomes: Counter[str]
    faults: dict[str, Input]  # each with its first input
    slowest: tuple[float, Input | None]


def run(count: int, seed: int = 0) -> Report:
    """Test `count` inputs, which depend on the seed alone."""
    random = Random(seed)
    report = Report(Counter(), {}, (0.0, None))
    for _ in range(count):
        given = random_input(random)
        start = time.process_time()
        outcome, fault = outcome_and_fault(given)
        taken = time.process_time() - start
        report.outcomes[outcome] += 1
        if fault is not None:
            report.faults.setdefault(f"{outcome}: {fault}", given)
        if taken > report.slowest[0]:
            report = report._replace(slowest=(taken, given))
    return report


def peak_memory() -> float:
    """The peak memory of this process, in megabytes."""
    unit = 1024.0**2 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def abbreviated(given: Input | None) -> str:
    """An input, shortened to a few lines."""
    if given is None:
        return ""
    short = Repr()
    short.maxlevel, short.maxstring, short.maxdict, short.maxother = 8, 600, 8, 60
    try:
        return f"{given.function.__name__}({short.repr(given.argument)})"
    except ValueError:
        return f"{given.function.__name__} of an integer with too many digits to print"


def main() -> int:
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    before, start = peak_memory(), time.monotonic()
    # Beyond this limit Python raises MemoryError, which counts as a fault.
    resource.setrlimit(resource.RLIMIT_AS, (4 * 1024**3, resource.RLIM_INFINITY))
    warnings.simplefilter("error")  # a SyntaxWarning is a fault
    report = run(count, seed)
    seconds, megabytes = time.monotonic() - start, peak_memory() - before
    print(f"{count} inputs of seed {seed} in {seconds:.0f} s, {megabytes:.0f} MB of additional memory")
    for outcome, times in sorted(report.outcomes.items()):
        print(f"{times:9d}  {outcome}")
    print(f"slowest: {report.slowest[0]:.3f} s: {abbreviated(report.slowest[1])}")
    for fault, given in report.faults.items():
        print(f"FAULT {fault}\n    {abbreviated(given)}")
    return 1 if report.faults or megabytes > MAX_MEGABYTES else 0


if __name__ == "__main__":
    sys.exit(main())

"""Reading the learning rates of a run from the files of trainers."""

from __future__ import annotations

import csv
import json
import re
from array import array
from itertools import chain
from pathlib import Path

from funcsched.core.validation import argument_error
from funcsched.evidence.events import read_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_STEPS = "step", "global_step", "iteration", "iter", "count", "_step", "trainer/global_step", "train/global_step"
_RATES = "lr", "learning_rate", "rate", "train/learning_rate", "train/lr"
_SEPARATORS = ",", ";", "\t"
_MAX_POINTS = 4_000  # that are returned of a longer log
_MAX_ROWS = 200_000
_MAX_STATE = 512 * 2**20  # bytes of a trainer_state.json, which is one JSON value
_MAX_LINE = 1_000_000  # characters
_MAX_NAMES = 20  # columns or tags in an error message


class Log:
    """The steps and learning rates of a file: unpacks as ``steps, rates``.

    name: the column or tag.
    rows: the steps and rates of all rows up to `_MAX_ROWS`; of a longer log, evenly thinned out to bound the memory.
    steps, rates: those of at most `_MAX_POINTS` rows, for a search.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = array("q"), array("d")
        self._stride, self._count = 1, 0

    def __iter__(self) -> Iterator[Any]:
        return iter((self.steps, self.rates))

    @property
    def steps(self) -> list[int]:
        return list(self.rows[0][:: self._thinning])

    @property
    def rates(self) -> list[float]:
        return list(self.rows[1][:: self._thinning])

    @property
    def _thinning(self) -> int:
        return -(-len(self.rows[0]) // _MAX_POINTS) or 1

    @property
    def notes(self) -> list[str]:
        """What the log lacks, as lines of text."""
        return [f"only every {self._stride}th of the {self._count:,} rows was read"] if self._stride > 1 else []

    @property
    def is_thinned(self) -> bool:
        return self._thinning > 1

    def add(self, step: int, rate: float) -> None:
        """Add a row. Beyond the limit, every other row is dropped."""
        if self._count % self._stride == 0:
            self.rows[0].append(step)
            self.rows[1].append(rate)
            if len(self.rows[0]) > _MAX_ROWS:
                self.rows = self.rows[0][::2], self.rows[1][::2]
                self._stride *= 2
        self._count += 1


def read_log(path: str | Path, *, column: str | None = None) -> Log:
    """Read the steps and learning rates of a run.

    ====================================  ==============================================================================
    file                                  content
    ====================================  ==============================================================================
    ``*.csv``                             a header with a step and a learning rate; separated by ``,``, ``;`` or tabs
    ``*.jsonl``, ``*.json``               one JSON object per line
    ``trainer_state.json``                the `log_history` of transformers, which counts steps from 1
    ``events.out.tfevents.*``             scalars of TensorBoard; or the folder, if it has one such file
    ====================================  ==============================================================================

    Args:
        path: the file. Its content, not its name, decides how it is read.
        column: the column, key or tag of the learning rate (str). None takes a name such as `lr`, `learning_rate` or
            `lr-AdamW`; if a file has several parameter groups, the first one. Names match without regard to case, and
            with spaces for underscores.

    Returns:
        The steps and the rates; at most 4,000 points, evenly thinned out if the file has more.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is empty, binary, corrupt, or has no learning rate.

    Example:
        >>> import tempfile, pathlib
        >>> from funcsched.evidence.logs import read_log
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "metrics.csv"
        ...     _ = path.write_text("epoch,lr-AdamW,step\\n0,0.001,0\\n0,,4\\n0,0.0005,9\\n")
        ...     steps, rates = read_log(path)
        >>> steps, rates
        ([0, 9], [0.001, 0.0005])
    """
    if not isinstance(path, (str, Path)):
        raise argument_error("read_log", "path", "a path", path, TypeError)
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*tfevents*"))
        if len(files) != 1:
            raise _error(path, f"is a folder with {len(files)} files of TensorBoard: name one file")
        (path,) = files
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise _error(path, "is empty")
    if "tfevents" in path.name or head[4:8] == b"\0\0\0\0" or (b"\0" in head and b"brain.Event:" in head):
        log = _log_of_events(path, column)
    elif is_saved_by_torch(path):
        raise _error(path, "is a file of torch.save: use bridges.torch.identify_scheduler(path)")
    elif b"\0" in head:
        raise _error(path, "is a binary file, and not one of TensorBoard")
    else:
        try:
            log = _log_of_text(path, head.lstrip(), column)
        except UnicodeDecodeError:
            raise _error(path, "is not a text file in UTF-8") from None
    return log


def is_saved_by_torch(path: str | Path) -> bool:
    """Whether a file is one of `torch.save`: a ZIP archive, or a pickle of older versions."""
    if Path(path).is_dir():
        return False
    with Path(path).open("rb") as file:
        head = file.read(4)
    return head == b"PK\x03\x04" or head[:2] in (b"\x80\x02", b"\x80\x04")


def _error(path: Path, problem: str) -> ValueError:
    return ValueError(f"read_log: {path.name} {problem}")


def _missing(path: Path, kind: str, names: Iterable[Any], column: str | None, unread: Any = None) -> ValueError:
    """The error for a file without points. `names` are its columns, keys or tags; `unread` is a value."""
    known = [name for name in names if isinstance(name, str)]
    if kind == "columns" and any(_number(name) is not None for name in known):
        return _error(path, f"begins with {','.join(known)}: the first line must be a header, such as step,lr")
    shown = [*known[:_MAX_NAMES], *["..."] * (len(known) > _MAX_NAMES)]
    if not known:
        return _error(path, "contains no metrics")
    problem = f"has the {kind} {', '.join(shown)}"
    rate = _same_name(column, known) if column else rate_name(known)
    if rate is None:
        wanted = f"none is {column!r}" if column else "none is a learning rate such as lr"
        return _error(path, f"{problem}: {wanted}; name it with `column` (in the command: `--column`)")
    if kind != "tags" and _step_name(known) is None:
        return _error(path, f"{problem}: none has the steps; rename that one to one of {', '.join(_STEPS)}")
    return _error(path, f"has no numbers in {rate!r} with a step{f', but {unread!r:.40}' if unread else ''}")


def _log_of_text(path: Path, head: bytes, column: str | None) -> Log:
    if head[:1] not in b"{[":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _log_of_records(path, _csv_records(path, file), column, "columns")
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline(_MAX_LINE)
        try:
            is_lines = isinstance(json.loads(first), dict) and "log_history" not in json.loads(first)
        except ValueError:
            is_lines = False
        if is_lines:
            file.seek(0)
            return _log_of_records(path, _json_records(path, file), column)
    return _log_of_state(path, column)


def _log_of_state(path: Path, column: str | None) -> Log:
    """The `log_history` of transformers."""
    if path.stat().st_size > _MAX_STATE:
        raise _error(path, "is larger than 512 MB and not in lines; convert it to one JSON object per line")
    try:
        with path.open(encoding="utf-8-sig") as file:
            state = json.load(file)
    except ValueError as error:
        raise _error(path, f"is not valid JSON: {error}") from None
    records = state.get("log_history") if isinstance(state, dict) else state
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _error(path, "has neither JSON objects in lines nor a list `log_history`")
    return _log_of_records(path, records, column)


def _csv_records(path: Path, file: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    def lines() -> Iterator[str]:
        for line in file:
            if len(line) > _MAX_LINE:
                raise _error(path, "has a line of more than a million characters")
            yield line

    rows = lines()
    header = next((line for line in rows if line.strip()), "")

    def fit(separator: str) -> tuple[bool, int]:
        return _step_name(next(csv.reader([header], delimiter=separator))) is not None, header.count(separator)

    try:
        separator = max(_SEPARATORS, key=fit)
        reader = csv.DictReader(chain([header], rows), delimiter=separator, skipinitialspace=True)
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        yield from reader
    except csv.Error as error:
        raise _error(path, f"is not valid CSV: {error}") from None


def _json_records(path: Path, file: Any) -> Iterator[Mapping[str, Any]]:
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise _error(path, "has a line of more than a million characters")
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            if not line.endswith("\n"):  # a crash may have cut the last line
                return
            raise _error(path, f"has invalid JSON in line {number}") from None
        if isinstance(record, dict):
            yield record


def _log_of_records(path: Path, records: Iterable[Mapping[str, Any]], column: str | None, kind: str = "keys") -> Log:
    log: Log | None = None
    step_name = None
    names: dict[Any, None] = {}  # of the columns or keys
    unread = None  # a value that is no number
    for record in records:
        if log is None or step_name is None:
            if len(names) <= _MAX_NAMES:
                names.update(dict.fromkeys(record))
            step_name = _step_name(record)
            name = _same_name(column, record) if column else rate_name(record)
            if step_name is None or name is None:
                continue
            log = Log(name)
        step, rate = _number(record.get(step_name)), _number(record.get(log.name))
        if step is not None and rate is not None and step >= 0:
            log.add(int(step), rate)
        elif step is None or rate is None:
            unread = unread or record.get(step_name if step is None else log.name)
    if log is None or not log.rows[0]:
        raise _missing(path, kind, names, column, unread)
    return log


def _plain(name: Any) -> str:
    """A name without the differences between `Learning Rate` and `learning_rate`."""
    return name.strip().lower().replace(" ", "_") if isinstance(name, str) else ""


def _same_name(wanted: str, names: Iterable[str]) -> str | None:
    """The name that equals the wanted one, or else one that differs from it only in case, spaces or underscores."""
    known = list(names)
    return wanted if wanted in known else next((name for name in known if _plain(name) == _plain(wanted)), None)


def _step_name(names: Iterable[str]) -> str | None:
    known = list(names)
    return next(filter(None, (_same_name(name, known) for name in _STEPS)), None)


def rate_name(names: Iterable[str]) -> str | None:
    """The name of a learning rate among the names of metrics."""
    known = [name for name in names if isinstance(name, str)]
    for name in _RATES:
        if found := _same_name(name, known):
            return found
    for name in known:
        parts = _plain(name).split("/")
        group = len(parts) > 1 and re.fullmatch(r"pg\d+", parts[-1])  # of Lightning: lr-AdamW/pg1
        last = parts[-2] if group else parts[-1]
        if last in ("lr", "learning_rate", "rate") or last.startswith(("lr-", "lr_", "learning_rate")):
            return name
    return None


def _number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e300 else None


def _log_of_events(path: Path, column: str | None) -> Log:
    log: Log | None = None
    tags: dict[str, None] = {}
    try:
        for step, tag, value in read_events(path):
            if log is None and len(tags) <= _MAX_NAMES:
                tags[tag] = None
            if log is None and (tag == column if column else rate_name([tag])):
                log = Log(tag)
            if log is not None and tag == log.name:
                log.add(step, value)
    except ValueError as error:
        raise _error(path, str(error)) from None
    if log is None or not log.rows[0]:
        raise _missing(path, "tags", tags, column)
    return log

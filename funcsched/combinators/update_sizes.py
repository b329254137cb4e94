"""Exact integer arithmetic that converts between a number of updates and the samples or tokens that they use."""

from __future__ import annotations

from bisect import bisect_right


def ceil_divide(numerator: int, denominator: int) -> int:
    """The quotient of two integers, rounded up."""
    return -(-numerator // denominator)


class UpdateSizes:
    """The size of every update of a run: its number of samples, or of tokens.

    A run is a sequence of phases, each with its own update size. If updates end at epoch boundaries, an update uses at
    most what is left of the current epoch, so the last update of an epoch may be smaller than the others.

    Args:
        size: size of an update in the first phase (int, at least 1).
        epoch: size of an epoch if updates end at epoch boundaries (int, at least 1), else None.
    """

    __slots__ = ("epoch", "first_counts", "first_updates", "sizes")

    def __init__(self, size: int, epoch: int | None) -> None:
        self.epoch = epoch
        # For each phase: the updates made and the count reached before it, and its update size.
        self.first_updates = [0]
        self.first_counts = [0]
        self.sizes = [size]

    def add_phase(self, first_update: int, size: int) -> None:
        """Change the update size from `first_update` on, which is not before the start of the last phase."""
        self.first_counts.append(self.count_after(first_update))
        self.first_updates.append(first_update)
        self.sizes.append(size)

    def left_in_epoch(self, phase: int) -> int:
        """What is left of the current epoch at the start of a phase, 0 at the start of an epoch."""
        return 0 if self.epoch is None else -self.first_counts[phase] % self.epoch

    def shortens_updates(self) -> bool:
        """Whether the last update of some epoch may be smaller than the others."""
        return self.epoch is not None and any(
            self.epoch % size or self.left_in_epoch(phase) % size for phase, size in enumerate(self.sizes)
        )

    def count_after(self, updates: int) -> int:
        """The samples or tokens used by the first `updates` updates."""
        phase = bisect_right(self.first_updates, updates) - 1
        first, size, epoch = self.first_counts[phase], self.sizes[phase], self.epoch
        updates -= self.first_updates[phase]
        if epoch is None:
            return first + updates * size
        left = self.left_in_epoch(phase)
        updates_to_epoch_end = ceil_divide(left, size)
        if updates <= updates_to_epoch_end:
            return first + min(updates * size, left)
        epochs, rest = divmod(updates - updates_to_epoch_end, ceil_divide(epoch, size))
        return first + left + epochs * epoch + rest * size

    def updates_for(self, count: int) -> int:
        """The smallest number of updates that use at least `count` samples or tokens."""
        phase = bisect_right(self.first_counts, count) - 1
        first, size, epoch = self.first_updates[phase], self.sizes[phase], self.epoch
        count -= self.first_counts[phase]
        left = self.left_in_epoch(phase)
        if epoch is None or count <= left:
            return first + ceil_divide(count, size)
        epochs, rest = divmod(count - left, epoch)
        return first + ceil_divide(left, size) + epochs * ceil_divide(epoch, size) + ceil_divide(rest, size)

"""Exact integer arithmetic that converts between a number of updates and a number of samples."""

from __future__ import annotations

from bisect import bisect_right


def ceil_divide(numerator: int, denominator: int) -> int:
    """The quotient of two integers, rounded up."""
    return -(-numerator // denominator)


class UpdateSizes:
    """The number of samples in every update of a run.

    A run is a sequence of phases, each with its own update size. If updates end at epoch boundaries, an update uses at
    most the samples left in the current epoch, so the last update of an epoch may be smaller than the others.

    Args:
        size: samples per update in the first phase (int, at least 1).
        epoch: samples per epoch if updates end at epoch boundaries (int, at least 1), else None.
    """

    __slots__ = ("_epoch", "_first_samples", "_first_updates", "_sizes")

    def __init__(self, size: int, epoch: int | None) -> None:
        self._epoch = epoch
        # For each phase: the updates made and the samples used before it, and its update size.
        self._first_updates = [0]
        self._first_samples = [0]
        self._sizes = [size]

    def add_phase(self, first_update: int, size: int) -> None:
        """Change the update size from `first_update` on, which is not before the start of the last phase."""
        self._first_samples.append(self.samples_after(first_update))
        self._first_updates.append(first_update)
        self._sizes.append(size)

    def samples_after(self, updates: int) -> int:
        """The number of samples used by the first `updates` updates."""
        phase = bisect_right(self._first_updates, updates) - 1
        samples, size, epoch = self._first_samples[phase], self._sizes[phase], self._epoch
        updates -= self._first_updates[phase]
        if epoch is None:
            return samples + updates * size
        left_in_epoch = -samples % epoch  # 0 at the start of an epoch
        updates_to_epoch_end = ceil_divide(left_in_epoch, size)
        if updates <= updates_to_epoch_end:
            return samples + min(updates * size, left_in_epoch)
        epochs, rest = divmod(updates - updates_to_epoch_end, ceil_divide(epoch, size))
        return samples + left_in_epoch + epochs * epoch + rest * size

    def updates_for(self, samples: int) -> int:
        """The smallest number of updates that use at least `samples` samples."""
        phase = bisect_right(self._first_samples, samples) - 1
        first, size, epoch = self._first_updates[phase], self._sizes[phase], self._epoch
        samples -= self._first_samples[phase]
        if epoch is None:
            return first + ceil_divide(samples, size)
        left_in_epoch = -self._first_samples[phase] % epoch
        if samples <= left_in_epoch:
            return first + ceil_divide(samples, size)
        epochs, rest = divmod(samples - left_in_epoch, epoch)
        return first + ceil_divide(left_in_epoch, size) + epochs * ceil_divide(epoch, size) + ceil_divide(rest, size)

"""The number of samples that a run uses in each epoch."""

from __future__ import annotations

from funcsched.combinators.update_sizes import ceil_divide
from funcsched.core.validation import argument_error


def samples_per_epoch(
    dataset_size: int | None, *, batch: int | None, update: int | None, drop_last: bool, epoch_end: str
) -> int | None:
    """The samples of the dataset that are not dropped at the end of an epoch; None if `dataset_size` is None.

    Args:
        dataset_size: samples in the dataset (int, at least 1) or None.
        batch: samples in one batch, summed over the processes (int, at least 1). If None, a batch is a full update.
        update: samples per update (int, a multiple of `batch`). None if it changes during the run.
        drop_last: whether to drop an incomplete last batch (bool).
        epoch_end: the argument of `Clock` (str). "drop" drops batches at the end that are too few for an update.

    Raises:
        ValueError: all samples would be dropped, or the arguments cannot be combined.
    """
    if dataset_size is None:
        return None
    samples = dataset_size
    batch = batch or update
    if drop_last:
        if batch is None:
            requirement = "given when `drop_last=True` and `samples_per_update` is a ramp"
            raise argument_error("Clock", "batch_size", requirement, None)
        if samples < batch:
            requirement = f"at least one batch per process ({batch} samples in total) when `drop_last=True`"
            raise argument_error("Clock", "dataset_size", requirement, dataset_size)
        samples -= samples % batch
    if epoch_end == "drop":
        if update is None or batch is None:
            requirement = "'update' or 'join' when `samples_per_update` is a ramp"
            raise argument_error("Clock", "epoch_end", requirement, epoch_end)
        batches_per_update = update // batch
        updates = ceil_divide(samples, batch) // batches_per_update
        if updates == 0:
            requirement = f"at least one update ({batches_per_update} batches of {batch}) when `epoch_end='drop'`"
            raise argument_error("Clock", "dataset_size", requirement, dataset_size)
        # The last of these updates may contain the incomplete batch.
        samples = min(updates * update, samples)
    return samples

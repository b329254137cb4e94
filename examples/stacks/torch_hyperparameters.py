"""One schedule for the learning rate, weight decay and momentum of an optimizer, and a layer that is unfrozen later.

Run it: python examples/stacks/torch_hyperparameters.py
"""

import torch

import funcsched as fs
from bridges.rated import Rated
from bridges.torch import lambda_lr

SCHEDULE = fs.one_cycle(warmup_steps=30, total_steps=100)


def main() -> list[dict[str, float]]:
    """The hyperparameters of every update, one entry for each parameter group."""
    head, body = torch.nn.Linear(4, 1), torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.01, weight_decay=0.1, betas=(0.9, 0.999))
    beta1 = Rated(fs.lerp(SCHEDULE, 0.95, 0.85), peak_value=1.0)  # lowest at the peak of the learning rate
    scheduler = lambda_lr(optimizer, SCHEDULE, hyperparameters={"weight_decay": SCHEDULE, "betas": (beta1, None)})
    log = []
    for step in range(100):
        if step == 50:
            optimizer.add_param_group({"params": body.parameters(), "lr": 0.001})  # follows the same schedules
        head(body(torch.ones(2, 4))).square().mean().backward()
        for group in optimizer.param_groups:
            beta = group["betas"][0]
            log.append({"step": step, "lr": group["lr"], "weight_decay": group["weight_decay"], "beta": beta})
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        if step % 25 == 5:
            print(", ".join(f"{name} {value:.4g}" for name, value in log[-1].items()))
    return log


if __name__ == "__main__":
    main()

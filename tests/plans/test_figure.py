"""The figure of a plan."""

import pytest

import funcsched as fs


def test_a_short_run_in_epochs_is_drawn_between_integers() -> None:
    plan = fs.Plan(
        {"lr": (fs.stretch(fs.warmup_linear(50, 250), 0.01), 0.5)}, run={"epochs": 2.5}, stages={"decay": 0.5}
    )
    (axes,) = plan.plot().axes
    curve = axes.lines[0]
    factor = axes.get_xlim()[1] / 2.5
    at = dict(zip(curve.get_xdata(), curve.get_ydata(), strict=True))
    between = [value for x, value in at.items() if 0 < x < 0.5 * factor]
    assert len(between) > 20
    assert all(value == pytest.approx(x / factor, rel=1e-6) for x, value in at.items() if 0 < x < 0.5 * factor)
    formatter = axes.xaxis.get_major_formatter()
    assert formatter(axes.get_xlim()[1], None) == "2.5"

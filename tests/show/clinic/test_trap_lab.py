"""The trap lab: switches become settings and seams, runs stay in the figure, and without a page it shows what was measured."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pgcourse import ppo
from pgcourse.show.clinic import trap_lab
from pgcourse.show.clinic.trap_lab import HEALTHY, MOST_RUNS, SHOWN, STORY, SWITCHES, TrapLab, settings_of, trap_panels
from pgcourse.show.dashboard.run import History
from pgcourse.study.claims import load_claims
from pgcourse.study.traps import JOINT_CLIPPING

TRAPS = ("joint clipping", "128-step rollouts", "slow critic")


def test_the_three_traps_are_the_buggy_preset_with_its_seam() -> None:
    config, seams = settings_of(TRAPS, seed=3)
    assert config == replace(ppo.BUGGY, seed=3) and seams == dict(JOINT_CLIPPING.seams)


@pytest.mark.parametrize(
    ("switches", "corner"),
    [
        ((), "adam_32_fast_separate"),
        (TRAPS, "adam_128_slow_joint"),
        (STORY, "lr3e-4_mb128_32_fast_separate"),
        (("policy rate 3e-4", *TRAPS), "lr3e-4_128_slow_joint"),
        (tuple(SWITCHES), "lr3e-4_mb128_128_slow_joint"),
    ],
)
def test_the_switches_are_corners_of_the_measured_experiment(switches: tuple[str, ...], corner: str) -> None:
    config, seams = settings_of(switches, seed=0)
    measured = load_claims("factorial")["configs"][corner]
    assert bool(seams) == corner.endswith("joint")
    for name in ("num_envs", "num_steps", "critic_lr", "policy_lr", "minibatch_size", "update_epochs", "hidden_sizes"):
        assert as_list(getattr(config, name)) == measured[name]
    assert config.num_episodes == 1000


def as_list(setting: Any) -> Any:
    return list(setting) if isinstance(setting, tuple) else setting


def run_of(switches: tuple[str, ...], episodes: int = 40) -> History:
    config, seams = settings_of(switches, seed=0)
    return History.of(ppo.train(replace(config, num_episodes=episodes), **seams))


def test_each_run_adds_a_line_of_its_own_look_to_every_panel() -> None:
    healthy, slow = run_of(()), run_of(("slow critic",))
    assert [len(panel.lines) for panel in trap_panels([], 50)] == [0] * (1 + len(SHOWN))
    panels = trap_panels([healthy, slow, History()], 50)
    assert [len(panel.lines) for panel in panels] == [3] + [2] * len(SHOWN)
    assert all(len({(line.colour, line.dashes) for line in panel.lines}) == len(panel.lines) for panel in panels)
    returns, gap = panels[0].lines[0], panels[1 + SHOWN.index("gap")]
    assert list(returns.x) == list(range(1, len(healthy.episodes[0]) + 1))
    assert returns.y[-1] == pytest.approx(healthy.episodes[1][-50:].mean())
    first = [line.y[0] for line in gap.lines]
    assert first == pytest.approx(
        [run.metrics["charts/value_mean"][0] / run.metrics["charts/return_mean"][0] for run in (healthy, slow)]
    )


@pytest.mark.slow
def test_a_run_is_made_with_the_switches_and_stays_until_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough that it is not over before the button is looked at.
    monkeypatch.setattr(trap_lab, "HEALTHY", replace(HEALTHY, num_episodes=400))
    lab = TrapLab()
    empty = lab.curves.value
    lab.switches["slow critic"].value = True

    async def scenario() -> None:
        lab.run_button.click()
        assert lab.run_button.disabled and lab.clear_button.disabled and not lab.stop_button.disabled
        lab.start()
        assert len(lab.runs) == 1, "one run at a time"
        assert lab._task is not None
        await asyncio.wait_for(lab._task, 60)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    label = " + ".join([*STORY, "slow critic"]) + ", seed 0"
    assert list(lab.results) == [label]
    assert lab.results[label].config.critic_lr == ppo.BUGGY.critic_lr
    assert f"{label}</strong>: Done, " in lab.text.value
    assert f"{label}: mean return" in lab.curves.value and lab.curves.value != empty
    lab.runs *= MOST_RUNS
    lab.start()
    assert "press Clear first" in lab.alert.value
    lab.clear_button.click()
    assert lab.runs == [] and lab.results == {}


def test_without_a_page_the_measured_curves_stand_there_and_nothing_runs(shown: list[Any]) -> None:
    TrapLab().show()
    (bundle,) = shown
    assert "Measured over ten seeds" in bundle["text/html"] and "data:image/" in bundle["text/html"]

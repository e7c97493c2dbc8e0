"""The dashboard in the page: what its controls say and allow, what it draws, and how it goes where nobody can press."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pgcourse import a2c, ppo, reinforce, trpo
from pgcourse.errors import InvalidInput
from pgcourse.show.dashboard import Dashboard
from pgcourse.show.dashboard.controls import Fields
from pgcourse.show.dashboard.dashboard import alarm_list
from pgcourse.show.dashboard.panels import Panels, expected_metrics, reference_of
from pgcourse.show.dashboard.run import History
from pgcourse.show.page import widgets
from pgcourse.show.page.widgets import WIDGET_VIEW

TINY = replace(ppo.CARTPOLE, num_envs=4, num_steps=16, minibatch_size=64, update_epochs=1, total_timesteps=64 * 4)
PRESETS = (
    ppo.CARTPOLE, ppo.PENDULUM, ppo.BUGGY, ppo.HALF_CHEETAH, a2c.CARTPOLE, a2c.ONLINE, reinforce.CARTPOLE, trpo.CARTPOLE,
)  # fmt: skip


@pytest.mark.parametrize("config", PRESETS, ids=lambda config: f"{config.algorithm}-{config.env_id}-{config.num_envs}")
def test_untouched_controls_say_the_preset(config: Any) -> None:
    assert Fields(config).read(5) == replace(config, seed=5)


def test_controls_take_what_a_person_types() -> None:
    fields = Fields(ppo.CARTPOLE)
    typed = {"total_timesteps": "50,000", "clip_coef": "None", "policy_lr": "3e-4", "hidden_sizes": "(16,)"}
    for name, text in typed.items():
        fields.controls[name].value = text
    fields.controls["anneal_lr"].value = True
    fields.controls["normalize_advantages"].value = "batch"
    expected = replace(
        ppo.CARTPOLE, total_timesteps=50_000, clip_coef=None, policy_lr=3e-4, hidden_sizes=(16,), anneal_lr=True,
        normalize_advantages="batch",
    )  # fmt: skip
    assert fields.read(0) == expected


@pytest.mark.parametrize(("name", "text", "message"), [
    ("policy_lr", "fast", "policy_lr='fast' is no value; give a number such as 0.001"),
    ("num_envs", "many many", "give a number such as 32"),
    ("gamma", "1.5", "gamma=1.5 is not allowed"),
    ("minibatch_size", "99999", "exceeds the batch of 1024"),
])  # fmt: skip
def test_a_setting_that_is_none_is_said_and_nothing_starts(name: str, text: str, message: str) -> None:
    board = Dashboard(ppo.CARTPOLE)
    board.controls.fields.controls[name].value = text
    board.controls.start.click()
    assert message in board.controls.text.value.replace("&#x27;", "'")
    assert "role='alert'" in board.controls.text.value and not board.running and board.run is None


def test_start_pause_resume_stop_and_again_with_another_seed() -> None:
    board = Dashboard(replace(TINY, total_timesteps=10**9))
    controls = board.controls
    pictures: list[str] = []
    controls.curves.observe(lambda change: pictures.append(change["new"]), names="value")

    async def until(condition: Any) -> None:
        for _ in range(6000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(controls.text.value)

    async def scenario() -> None:
        assert controls.start.disabled is False and controls.stop.disabled and controls.pause.disabled
        controls.start.click()
        first = board.run
        controls.start.click()
        assert board.run is first, "a second press is ignored"
        assert controls.start.disabled and not controls.stop.disabled and controls.seed.disabled
        assert controls.fields.controls["gamma"].disabled and first is not None
        await until(lambda: first.history.updates > 5 and len(pictures) > 0 and first.film is not None)
        assert "Training." in controls.text.value and controls.agent.layout.display == ""
        assert 'alt="The agent at work: ' in controls.agent.value
        controls.film.value = False
        assert controls.agent.layout.display == "none"
        controls.pause.click()
        assert controls.pause.description == "Resume"
        await until(lambda: "Paused." in controls.text.value)
        assert board.result is None
        controls.pause.click()
        assert controls.pause.description == "Pause"
        held = first.history.updates
        await until(lambda: first.history.updates > held)
        controls.stop.click()
        assert controls.stop.disabled
        await asyncio.wait_for(board._task or asyncio.sleep(0), 60)
        assert "Stopped; what there is so far is kept" in controls.text.value and board.result is board.results[0]
        assert controls.start.description == "Start again" and not controls.start.disabled
        controls.seed.value = 7
        controls.fields.controls["total_timesteps"].value = str(64 * 4)
        controls.start.click()
        await asyncio.wait_for(board._task or asyncio.sleep(0), 60)
        assert "Done; it is kept" in controls.text.value and asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert [result.config.seed for result in board.results] == [0, 7]
    home = ppo.train(replace(TINY, seed=7))
    assert board.result is not None
    assert np.array_equal(board.result.metrics["losses/entropy"], home.metrics["losses/entropy"])
    assert len(set(pictures)) == len(pictures) > 1
    assert "PPO on CartPole-v1, seed 7 after 256 steps" in controls.curves.value


def test_in_a_terminal_it_runs_and_prints_one_line(capsys: Any, shown: list[Any]) -> None:
    board = Dashboard(TINY)
    board.show()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("PPO on CartPole-v1, seed 0: 256 steps, ") and line.endswith("; no alarm.")
    assert board.result is not None and board.wait() is board.result
    assert shown == [], "a terminal shows no pictures"


def test_a_notebook_run_at_once_starts_no_process(monkeypatch: pytest.MonkeyPatch, shown: list[Any]) -> None:
    monkeypatch.setattr(widgets, "_request", lambda: {"content": {"allow_stdin": False}, "metadata": {}})
    board = Dashboard(TINY)
    board.show()
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"} and "<img src=" in bundle["text/html"], "it shows the curves"
    assert "after 256 steps: return of each episode" in bundle["text/plain"] and board.run is None


def test_in_a_page_a_cell_that_runs_again_ends_the_old_run(monkeypatch: pytest.MonkeyPatch, shown: list[Any]) -> None:
    request = {"content": {"allow_stdin": True}, "metadata": {"cellId": "cell-1"}}
    monkeypatch.setattr(widgets, "_request", lambda: request)
    stopped = []
    first, second = Dashboard(TINY), Dashboard(TINY)
    monkeypatch.setattr(first, "stop", lambda: stopped.append("first"))
    first.show()
    assert "Run this cell to wake it" in shown[0]["text/html"] and list(shown[1]) == [WIDGET_VIEW]
    assert first.run is None
    second.show()
    assert stopped == ["first"]
    widgets._shown.clear()


def test_settings_of_no_algorithm_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Dashboard got dict; give settings of an algorithm"):
        Dashboard({"seed": 1})


def part(result: Any, updates: int) -> History:
    """The first updates of a run."""
    history, last = History(), result.metrics["charts/env_step"][updates - 1]
    episodes = result.episodes[result.episodes["env_step"] <= last]
    metrics = {name: numbers[:updates].tolist() for name, numbers in result.metrics.items()}
    history.add(metrics, episodes["env_step"].tolist(), episodes["episodic_return"].tolist())
    return history


def panels_of(config: Any, *, budget: tuple[int | None, int | None] | None = None) -> Panels:
    budget = budget or (config.total_timesteps, config.num_episodes)
    return Panels("x", reference_of(config, {}), config.env_id, metrics=expected_metrics(config), budget=budget)


def test_the_panels_hold_the_numbers_of_the_run_and_make_room_for_them() -> None:
    result = ppo.train(replace(ppo.CARTPOLE, total_timesteps=12 * 1024))
    history, panels = History.of(result), panels_of(ppo.CARTPOLE, budget=(4 * 1024, None))
    titles = ["entropy", "KL", "clip fraction", "explained variance", "policy's gradient", "critic's gradient"]
    returns, *small = panels.panels(history)
    assert [panel.title for panel in small] == titles == [panel.title for panel in panels.panels(History())[1:]]
    assert small[1].lines[0].y.tolist() == result.metrics["losses/approx_kl"].tolist()
    assert small[1].x_end == result.metrics["charts/env_step"][-1] == 12 * 1024, "beyond the budget"
    assert small[1].number == f"{result.metrics['losses/approx_kl'][-1]:.2g}" and small[1].healthy is not None
    assert returns.lines[-1].y[-1] == pytest.approx(result.episodes["episodic_return"][-100:].mean())
    assert returns.lines[0].label == "these settings, 10 seeds"


def test_a_changed_setting_keeps_the_reference_in_grey_and_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Dashboard(ppo.CARTPOLE)
    same, changed = board._new_panels(ppo.CARTPOLE), board._new_panels(replace(ppo.CARTPOLE, gamma=0.9))
    assert same.reference is not None and changed.reference is not None
    assert changed.reference.curve == same.reference.curve and changed.reference.colour != same.reference.colour
    assert changed.reference.label == "without your change, 10 seeds"
    with_a_part = Dashboard(ppo.CARTPOLE, advantage_fn=lambda *_: None)._new_panels(ppo.CARTPOLE)
    assert with_a_part.reference is not None and with_a_part.reference.changed
    elsewhere = board._new_panels(replace(ppo.CARTPOLE, env_id="Acrobot-v1"))
    assert elsewhere.reference is None, "returns of another task"
    by_episode = board._new_panels(replace(ppo.CARTPOLE, total_timesteps=None, num_episodes=100))
    assert by_episode.reference is None, "its curve is over environment steps"


def test_a_firing_panel_is_marked_in_its_title_and_named_with_the_alarm() -> None:
    history, panels = History(), panels_of(ppo.CARTPOLE)
    metrics = {name: [0.5] for name in panels.expected}
    history.add(metrics | {"charts/env_step": [1024.0]}, [900], [20.0])
    history.rung = {"kl-high": 1024, "return-falls": 1024, "part-not-updated": 1024}
    returns, *small = panels.panels(history)
    assert returns.alarm and [panel.title for panel in small if panel.alarm] == ["KL"]
    page = panels.live(history)
    assert "⚠ KL: alarm" in page and "approximate KL 0.5 (alarm)" in page and page.count("⚠") == 2
    said = alarm_list(history)
    assert [f"<strong>{name}</strong>" in said for name in ("return", "KL", "a part of a network")] == [True] * 3


@pytest.mark.parametrize("algorithm", [reinforce, a2c])
def test_other_algorithms_have_the_panels_that_they_have_numbers_for(algorithm: Any) -> None:
    config = replace(algorithm.CARTPOLE, num_episodes=16)
    result, panels = algorithm.train(config), panels_of(config)
    names = panels.names(History.of(result))
    assert set(names) <= set(result.metrics) and "losses/entropy" in names
    assert all(len(panel.lines[0].y) for panel in panels.panels(History.of(result)))
    assert panels.by_episode == (config.total_timesteps is None)


def test_alarms_are_said_in_words_with_the_step_at_which_they_rang() -> None:
    history = History()
    assert alarm_list(history) == ""
    for step, kl in ((1024.0, 0.001), (2048.0, 0.9), (3072.0, 0.001)):
        history.add({"losses/approx_kl": [kl], "charts/env_step": [step]}, [], [])
        history.look_for_alarms()
        assert ("✓ No alarm so far." in alarm_list(history)) == (step < 2000)
    said = alarm_list(history)
    assert "<strong>KL</strong>, from step 2,048 on: an update moved the policy far from the one that acted" in said
    assert said.count("<li>") == 1


@pytest.mark.slow
def test_a_notebook_that_nbclient_runs_trains_in_the_kernel_and_makes_no_widgets() -> None:
    import nbclient
    import nbformat

    cells = [
        "from dataclasses import replace\nfrom pgcourse import ppo\nfrom pgcourse.show.dashboard import Dashboard",
        "board = Dashboard(replace(ppo.CARTPOLE, total_timesteps=4096))\nboard.show()",
        "print(board.run, 'controls' in vars(board))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    line, picture = notebook.cells[1].outputs
    assert line.text.startswith("PPO on CartPole-v1, seed 0: 4,096 steps, ") and line.text.count("\n") == 1
    assert "<img src=" in picture.data["text/html"] and WIDGET_VIEW not in picture.data
    assert notebook.cells[2].outputs[0].text == "None False\n"

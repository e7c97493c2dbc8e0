"""The dashboard in the page: what its controls say and allow, what it draws, and how it goes where nobody can press."""

import asyncio
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

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
    pictures: list[bytes] = []
    controls.image.observe(lambda change: pictures.append(change["new"]), names="value")

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
    assert "PPO on CartPole-v1, seed 7 after 256 steps" in controls.image.tooltip


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
    assert set(bundle) == {"text/html", "text/plain"}, "it shows the curves"
    assert "after 256 steps: return of each episode" in bundle["text/plain"] and board.run is None


def test_in_a_page_a_cell_that_runs_again_ends_the_old_run(monkeypatch: pytest.MonkeyPatch, shown: list[Any]) -> None:
    request = {"content": {"allow_stdin": True}, "metadata": {"cellId": "cell-1"}}
    monkeypatch.setattr(widgets, "_request", lambda: request)
    stopped = []
    first, second = Dashboard(TINY), Dashboard(TINY)
    monkeypatch.setattr(first, "stop", lambda: stopped.append("first"))
    first.show()
    assert WIDGET_VIEW in shown[0] and "Run this cell in JupyterLab to start" in shown[0]["text/html"]
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


def pixels(png: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def panels_of(config: Any, *, budget: tuple[int | None, int | None] | None = None) -> Panels:
    budget = budget or (config.total_timesteps, config.num_episodes)
    return Panels("x", reference_of(config, {}), config.env_id, metrics=expected_metrics(config), budget=budget)


def test_drawing_on_the_background_gives_the_picture_of_drawing_everything() -> None:
    result = ppo.train(replace(ppo.CARTPOLE, total_timesteps=12 * 1024))
    panels = panels_of(ppo.CARTPOLE, budget=(4 * 1024, None))
    pictures = [panels.draw(part(result, updates)) for updates in (1, 2, 6, 12)]  # leaves the axes on the way
    assert len(set(pictures)) == 4
    panels.canvas._background = None
    different = np.abs(pixels(panels.draw(part(result, 12))) - pixels(pictures[-1])).max(axis=2) > 40
    assert different.mean() < 1e-4
    names = {"entropy", "approx_kl", "clipfrac", "explained_variance", "policy_grad_norm", "critic_grad_norm"}
    assert set(panels.small) == {f"losses/{name}" for name in names}
    assert panels.small["losses/approx_kl"][0].get_xlim()[1] >= 12 * 1024


@pytest.mark.parametrize("algorithm", [reinforce, a2c])
def test_other_algorithms_have_the_panels_that_they_have_numbers_for(algorithm: Any) -> None:
    config = replace(algorithm.CARTPOLE, num_episodes=16)
    result, panels = algorithm.train(config), panels_of(config)
    panels.draw(History.of(result))
    assert set(panels.small) <= set(result.metrics) and "losses/entropy" in panels.small
    assert panels.by_episode == (config.total_timesteps is None)


def test_alarms_are_said_in_words_with_the_step_at_which_they_rang() -> None:
    history = History()
    assert alarm_list(history) == ""
    for step, kl in ((1024.0, 0.001), (2048.0, 0.9), (3072.0, 0.001)):
        history.add({"losses/approx_kl": [kl], "charts/env_step": [step]}, [], [])
        history.look_for_alarms()
        assert ("✓ No alarm so far." in alarm_list(history)) == (step < 2000)
    said = alarm_list(history)
    assert "from step 2,048 on: an update moved the policy far from the one that acted" in said
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
    assert "data:image/png" in picture.data["text/html"] and WIDGET_VIEW not in picture.data
    assert notebook.cells[2].outputs[0].text == "None False\n"

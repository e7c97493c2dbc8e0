"""Agents in the page: worlds and policies are those of Python, pictures move at true speed, the game waits, a page is whole."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from pgcourse import a2c, reinforce
from pgcourse.envs import make_envs, make_single_env
from pgcourse.evaluation import act
from pgcourse.networks import GaussianPolicy, make_policy
from pgcourse.normalization import update_normalization
from pgcourse.show import page, share
from pgcourse.show.live import agents, game
from pgcourse.show.live.embed import as_json, bundle, name_of
from pgcourse.show.live.policy import mode, policy_json
from pgcourse.show.live.worlds import WORLDS, live_episode, start_seed

from .conftest import run_all

pytestmark = pytest.mark.slow

STATES = 10_000
HELD_OUT = 1_000
SIZES = {"CartPole-v1": (2.6, 3.0, 0.25, 3.0), "Pendulum-v1": (6.0, 8.0), "ShortCorridor-v0": (2.0,)}


@pytest.fixture(scope="module")
def blank(chromium: Any) -> Iterator[Any]:
    """A page with nothing in it, which refuses every request and remembers errors."""
    blank = chromium.new_page(viewport={"width": 1000, "height": 900})
    blank.route("**/*", lambda route: route.abort())
    yield blank
    blank.close()


def fill(blank: Any, html: str) -> list[str]:
    """Show the HTML with the course's look. Returns: a list that grows with the errors."""
    errors: list[str] = []
    blank.on("pageerror", lambda error: errors.append(str(error)))
    blank.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    blank.set_content(f"<!doctype html><html lang='en'><meta charset='utf-8'><style>{page.stylesheet()}</style>{html}")
    return errors


def run_js(blank: Any, module: str, body: str, given: Any) -> Any:
    return blank.evaluate(f"(given) => {{{bundle(module)}\n{body}}}", given)


def random_states(env_id: str, count: int) -> np.ndarray:
    draw = np.random.default_rng(0)
    states = draw.uniform(-1, 1, (count, len(SIZES[env_id]))) * SIZES[env_id]  # [N, S]
    return np.abs(states).round() if env_id == "ShortCorridor-v0" else states


def random_actions(env_id: str, count: int) -> np.ndarray:
    draw = np.random.default_rng(1)
    return draw.uniform(-3, 3, count) if env_id == "Pendulum-v1" else draw.integers(0, 2, count)


@pytest.mark.parametrize("env_id", WORLDS)
def test_a_step_in_the_page_is_the_step_of_python(blank: Any, env_id: str) -> None:
    states, actions = random_states(env_id, STATES), random_actions(env_id, STATES)
    envs: Any = make_envs(env_id, STATES, seed=0)
    given = torch.tensor(actions)[:, None] if env_id == "Pendulum-v1" else torch.tensor(actions)
    expected, rewards, terminated = envs.dynamics(torch.from_numpy(states), given)
    got = run_js(
        blank,
        "worlds",
        f"const world = {name_of('worlds')}.WORLDS[given.env];"
        "return given.states.map((state, i) => { const step = world.step(state, given.actions[i]);"
        "return [...step.state, step.reward, Number(step.terminated), ...world.observe(step.state)]; });",
        {"env": env_id, "states": states.tolist(), "actions": actions.tolist()},
    )
    columns = [
        expected.double(),
        rewards.double()[:, None],
        terminated.double()[:, None],
        envs.observe(expected).double(),
    ]
    difference = np.abs(np.array(got) - torch.cat(columns, dim=1).numpy()).max()
    print(f"{env_id}: largest difference of {STATES:,} steps {difference:.1e}")
    assert difference < 2e-6  # Python's constants are float32


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_whole_episodes_are_those_of_gymnasium(blank: Any, env_id: str) -> None:
    env = make_single_env(env_id).unwrapped
    largest = 0.0
    for seed in range(20):
        env.reset(seed=seed)
        simulated: Any = env
        start, actions, states, rewards = np.array(simulated.state).tolist(), [], [], []
        draw, ended = np.random.default_rng(seed), False
        while not ended and len(actions) < 200:
            discrete = isinstance(env.action_space, gymnasium.spaces.Discrete)
            action: Any = int(draw.integers(2)) if discrete else draw.uniform(-2, 2)
            _, reward, ended, _, _ = env.step(action if discrete else np.array([action]))
            actions.append(action)
            states.append(np.array(simulated.state).tolist())
            rewards.append(float(reward))
        got = run_js(
            blank,
            "worlds",
            f"const world = {name_of('worlds')}.WORLDS[given.env]; let state = given.start;"
            "return given.actions.map((action) => { const step = world.step(state, action); state = step.state;"
            "return [...state, step.reward, Number(step.terminated)]; });",
            {"env": env_id, "start": start, "actions": actions},
        )
        expected = np.column_stack([states, rewards, [0] * (len(actions) - 1) + [int(ended)]])
        largest = max(largest, float(np.abs(np.array(got) - expected).max()))
    print(f"{env_id}: largest difference of 20 episodes {largest:.1e}")
    assert largest < 1e-9


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_policies_act_in_the_page_as_in_python(blank: Any, env_id: str) -> None:
    torch.manual_seed(0)
    envs: Any = make_envs(env_id, HELD_OUT, seed=7)
    policy = make_policy(envs.single_observation_space, envs.single_action_space, normalize_observations=True)
    for parameter in policy.parameters():  # a fresh policy prefers nothing
        parameter.data.mul_(3)
    obs = envs.observe(torch.from_numpy(random_states(env_id, HELD_OUT)).float())
    update_normalization(policy, obs * 1.7 + 0.1)
    expected = act(policy, obs, deterministic=True).detach().numpy().reshape(-1)
    got = np.array(
        run_js(
            blank,
            "policy",
            f"const act = {name_of('policy')}.actor(given.policy); return given.obs.map((obs) => act(obs));",
            {"policy": policy_json(policy), "obs": obs.double().tolist()},
        )
    )
    if isinstance(policy, GaussianPolicy):
        print(f"{env_id}: largest difference of {HELD_OUT:,} actions {np.abs(got - expected).max():.1e}")
        assert np.abs(got - expected).max() < 1e-4
    else:
        print(f"{env_id}: {(got == expected).sum()} of {HELD_OUT:,} actions alike")
        assert (got == expected).all()
        assert 0.05 < expected.mean() < 0.95, "both actions are tried"
    trained = agents.trained_agents(env_id)[-1]["policy"]
    assert trained is not None
    got = run_js(
        blank,
        "policy",
        f"const act = {name_of('policy')}.actor(given.policy); return given.obs.map((obs) => act(obs));",
        {"policy": trained, "obs": obs.double().tolist()},
    )
    assert np.allclose(got, mode(trained, obs.double().numpy()).reshape(-1), atol=1e-9), "the course's own agent"


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_the_first_episodes_of_the_page_are_those_told_beside_it(blank: Any, env_id: str) -> None:
    for agent in agents.trained_agents(env_id):
        life = live_episode(agent["policy"], env_id, seed=0)
        got = run_js(
            blank,
            "agents",
            f"const agent = new {name_of('agents')}.Agent({name_of('worlds')}.WORLDS[given.env], given.agent, given.seed);"
            "const first = agent.state; while (!agent.over) agent.tick(); return [...first, agent.steps, agent.total];",
            {"env": env_id, "agent": agent, "seed": str(start_seed(0))},
        )
        assert np.allclose(got[:-2], life.states[0], atol=1e-6), "the start state is Python's"
        assert got[-2] == len(life.rewards)
        assert got[-1] == pytest.approx(life.rewards.sum(), rel=0.01)


def test_agents_move_at_true_speed_are_pushed_and_stop(blank: Any) -> None:
    blank.evaluate(
        """() => { window.work = []; const original = window.requestAnimationFrame.bind(window);
        window.requestAnimationFrame = (call) => original((now) => {
            const begin = performance.now(); call(now); window.work.push(performance.now() - begin); }); }"""
    )
    errors = fill(blank, agents.landing())
    blank.wait_for_selector("figure[data-awake] canvas")
    assert not blank.locator(".pg-still").is_visible()
    trained = blank.locator("canvas").last
    blank.wait_for_timeout(2500)
    gaps = blank.evaluate(
        """() => new Promise((done) => {
            const times = [];
            const frame = (now) => {
                times.push(now);
                if (times.length > 120) done(times.slice(1).map((now, i) => now - times[i]));
                else requestAnimationFrame(frame);
            };
            requestAnimationFrame(frame);
        })"""
    )
    work = blank.evaluate("work")
    print(f"median frame {np.median(gaps):.1f} ms, of which the agents take {np.median(work):.2f} ms")
    assert np.median(work) < 16
    blank.get_by_role("button", name="Restart").click()
    began = blank.evaluate("performance.now()")
    blank.wait_for_timeout(2000)
    blank.get_by_role("button", name="Pause").click()
    seconds = (blank.evaluate("performance.now()") - began) / 1000
    steps = int(str(trained.get_attribute("aria-label")).split("step ")[1].split(",")[0])
    assert steps == pytest.approx(50 * seconds, rel=0.25), "50 steps a second"
    said = blank.locator("[role=status]").inner_text()
    assert said.startswith("Paused. random: ") and "trained" in said
    before = trained.evaluate("canvas => canvas.toDataURL()")
    blank.wait_for_timeout(300)
    assert trained.evaluate("canvas => canvas.toDataURL()") == before, "it stands still"
    for _ in range(4):  # by keyboard
        blank.get_by_role("button", name="Push right").press("Enter")
    blank.get_by_role("button", name="Play").press("Enter")
    blank.wait_for_timeout(700)
    assert trained.evaluate("canvas => canvas.toDataURL()") != before
    assert errors == []


def test_a_push_is_answered_by_who_has_learnt(blank: Any) -> None:
    """A knock on the cart: the trained agent is still up two seconds later, and has moved against it."""
    steps, moved = run_js(
        blank,
        "agents",
        f"const agent = new {name_of('agents')}.Agent({name_of('worlds')}.WORLDS['CartPole-v1'], given.agent, given.seed);"
        "for (let k = 0; k < 50; k++) agent.tick(); const before = agent.state[1]; agent.push(1);"
        "const moved = agent.state[1] - before; for (let k = 0; k < 100; k++) agent.tick(); return [agent.steps, moved];",
        {"agent": agents.trained_agents("CartPole-v1")[-1], "seed": str(start_seed(0))},
    )
    assert moved == pytest.approx(0.5) and steps == 150


def test_nothing_moves_where_the_reader_wants_no_motion(chromium: Any) -> None:
    quiet = chromium.new_page(reduced_motion="reduce")
    fill(quiet, agents.landing("Pendulum-v1"))
    canvas = quiet.locator("canvas").last
    quiet.wait_for_timeout(300)
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    quiet.wait_for_timeout(400)
    assert canvas.evaluate("canvas => canvas.toDataURL()") == before
    assert quiet.get_by_role("button", name="Play").is_visible()
    quiet.close()


def test_the_game_waits_for_the_first_key_and_keeps_the_page_in_place(
    blank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(page, "display", lambda data, raw: shown.append(data["text/html"]))
    game.play()
    errors = fill(blank, shown[0] + "<div style='height: 3000px'></div>")
    blank.get_by_role("button", name="Start").click()
    assert blank.evaluate("document.activeElement.tagName") == "CANVAS"
    words = blank.locator(".pg-game-words")
    blank.wait_for_timeout(1500)
    assert "waits for your first" in words.inner_text(), "nothing is lost before the first key"
    top = blank.evaluate("scrollY")
    blank.keyboard.press("ArrowRight")
    blank.wait_for_timeout(300)
    assert "Go." in words.inner_text(), "the start is slow: an always-right cart stands for a second"
    words.filter(has_text="It is over").wait_for(timeout=10_000)
    assert "PPO of unit 04 500" in words.inner_text() and "a random agent 23" in words.inner_text()
    assert blank.evaluate("scrollY") == top
    blank.keyboard.press("Enter")
    assert "waits for your first" in words.inner_text()
    assert errors == []


def test_a_game_that_stands_still_takes_the_colours_of_a_new_theme(blank: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(page, "display", lambda data, raw: shown.append(data["text/html"]))
    game.play()
    fill(blank, shown[0])
    cart = """() => {
        const canvas = document.querySelector(".pg-game canvas");
        const at = [0.5 * canvas.width - 0.04 * canvas.width, 0.78 * canvas.height];
        return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
    }"""
    blank.wait_for_function(f"() => ({cart})()[3] > 0")
    seen = [blank.evaluate(cart)]
    for theme in ("dark", "light"):
        blank.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        seen.append(blank.evaluate(cart))
    assert seen == [[27, 31, 35, 255], [230, 233, 236, 255], [27, 31, 35, 255]], "the cart has the colour of ink"


def test_a_shared_page_is_whole_small_and_alive(blank: Any, tmp_path: Any) -> None:
    result = reinforce.train(replace(reinforce.CARTPOLE, seed=1, num_episodes=30))
    path = share(result, tmp_path / "agent.html", title="Ada's <agent>")
    content = path.read_text()
    assert len(content.encode()) < 200_000
    requests: list[str] = []
    blank.on("request", lambda request: requests.append(request.url))
    errors: list[str] = []
    blank.on("pageerror", lambda error: errors.append(str(error)))
    blank.set_content(content)
    assert blank.get_by_role("heading", level=1).inner_text() == "Ada's <agent>"
    mine = blank.locator("canvas").last
    blank.wait_for_timeout(200)
    before = mine.evaluate("canvas => canvas.toDataURL()")
    blank.wait_for_timeout(500)
    assert mine.evaluate("canvas => canvas.toDataURL()") != before
    assert blank.locator("figure[data-awake] svg path").count() >= 2, "the learning curve"
    button = blank.get_by_role("button", name="Pause")
    button.focus()
    blank.keyboard.press("Enter")
    assert blank.get_by_role("button", name="Play").is_visible()
    assert [url for url in requests if not url.startswith("data:")] == [] and errors == []
    assert blank.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_curve_of_the_page_is_that_of_python(blank: Any) -> None:
    from pgcourse.show.live.share import learning_curve

    curve = learning_curve(a2c.train(replace(a2c.CARTPOLE, seed=1, total_timesteps=None, num_episodes=20)))
    script = f"return {name_of('learning_curve')}.figure({{}}, {as_json(curve.data)});"
    got, expected = run_js(blank, "learning_curve", script, None), curve.at()
    assert got["words"] == expected["words"]
    for mine, theirs in zip(got["panels"][0]["marks"], expected["panels"][0]["marks"], strict=True):
        assert {**mine, "y": 0} == {**theirs, "y": 0} and np.allclose(mine["y"], theirs["y"])


def test_the_game_is_played_by_keyboard_in_jupyterlab(open_notebook: Callable[..., Any]) -> None:
    lab = open_notebook("play.ipynb", ["from pgcourse.show.live.game import play; play()", "1 + 1"], height=900)
    assert run_all(lab)
    lab.get_by_role("button", name="Start", exact=True).click()
    words = lab.locator(".pg-game-words")
    words.filter(has_text="waits for your first").wait_for()
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = lab.evaluate(active)
    lab.keyboard.press("ArrowLeft")
    lab.keyboard.press("d")  # with JupyterLab's own commands, twice would delete the cell
    lab.keyboard.press("d")
    words.filter(has_text="It is over").wait_for(timeout=20_000)
    assert lab.evaluate(active) == before
    assert lab.evaluate("window.jupyterapp.shell.currentWidget.content.model.cells.length") == 2
    assert lab.errors == []

"""Play the environment yourself, at true speed, in the page."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

import gymnasium
import ipywidgets
import numpy as np
from PIL import Image

from ...envs import make_single_env
from ...errors import InvalidInput
from ...evaluation import evaluate
from ...render import record_frames
from ...study.claims import load_claims
from ..page.output import picture
from ..page.widgets import PICTURE_LAYOUT, DescribedImage, show_widget

EPISODES = 100
MOST_BUTTONS = 6
FORCES = 5  # of a continuous action: full, half and none, to either side
NAMES = {"CartPole-v1": ("Left", "Right"), "MountainCar-v0": ("Left", "Coast", "Right")}
# What the course's own agents reach from held-out start states: environment -> (claims, figure, in words).
TRAINED = {
    "CartPole-v1": ("ppo", "cartpole/held_out", "PPO of unit 04"),
    "Pendulum-v1": ("pendulum", "pendulum/held_out", "PPO of unit 05"),
}
FRAMES_PER_SECOND = 25
SPEEDS = {"true speed": 1.0, "half speed": 0.5, "quarter speed": 0.25}
HOW_TO = "With the keyboard: focus on the slider, then the arrow keys. True speed is hard: try half speed first."


@dataclass(frozen=True)
class Moves:
    """The actions of an environment as buttons. `start` is pressed at the beginning."""

    names: tuple[str, ...]
    actions: tuple[Any, ...]
    start: int
    label: str  # what is chosen, for the slider
    help: str


def moves(env_id: str) -> Moves:
    """The buttons of an environment. Raises: InvalidInput for one whose actions do not fit on a few of them."""
    env = make_single_env(env_id)
    space = env.action_space
    env.close()
    if isinstance(space, gymnasium.spaces.Discrete) and space.n <= MOST_BUTTONS:
        names = NAMES.get(env_id, tuple(f"Action {i}" for i in range(int(space.n))))
        actions: tuple[Any, ...] = tuple(int(space.start) + i for i in range(int(space.n)))
        return Moves(
            names, actions, 0, "Push:", "Left and Right say where the cart is pushed from then on: there is no rest."
        )
    if isinstance(space, gymnasium.spaces.Box) and space.shape == (1,) and space.is_bounded():
        forces = np.linspace(float(space.low[0]), float(space.high[0]), FORCES)
        names = tuple(f"{force:+g}" if force else "0" for force in forces)
        actions = tuple(np.array([force], dtype=np.float32) for force in forces)
        return Moves(
            names, actions, FORCES // 2, "Force:", "The force that you choose acts until you choose another one."
        )
    raise InvalidInput(
        f"{env_id!r} has actions {space}, which have no buttons; choose one with a few discrete actions, or one bounded force"
    )


def rivals(env_id: str, trained: Any) -> str:
    """The mean returns that a player's score stands beside, in words.

    Args: trained: a Result or a policy; None takes the course's own where one is measured.
    """
    words = [f"A random agent: {evaluate(None, env_id, num_episodes=EPISODES, seed=0).mean:.1f}"]
    if trained is not None:
        mean = evaluate(getattr(trained, "policy", trained), env_id, num_episodes=EPISODES, seed=0).mean
        words.append(f"the trained agent: {mean:.1f}")
    elif env_id in TRAINED:
        name, figure, agent = TRAINED[env_id]
        words.append(f"{agent}: {load_claims(name)['figures'][figure]['value']:.0f}")
    return f"{', '.join(words)}, on average of {EPISODES} episodes."


class Game:
    """One player at one environment: buttons, picture, score. Nothing runs before Start or after the end."""

    def __init__(self, env_id: str, seconds: float, first_picture: bytes, trained: Any = None) -> None:
        self.moves = moves(env_id)
        if not seconds > 0:
            raise InvalidInput(f"seconds={seconds} is not positive; give the longest time of a game, such as 20")
        self.env_id, self.seconds = env_id, seconds
        self.env: gymnasium.Env[Any, Any] | None = None
        self.task: asyncio.Task[None] | None = None
        self.score, self.best, self.steps, self.games = 0.0, -np.inf, 0, 0
        self.trained, self.rivals = trained, ""
        names = self.moves.names
        # A slider takes the arrow keys once it has the focus: one key press is one change of direction.
        self.push = ipywidgets.SelectionSlider(
            options=[(name, i) for i, name in enumerate(names)], value=self.moves.start, description=self.moves.label
        )
        self.buttons = [
            ipywidgets.Button(description=name, tooltip=f"{self.moves.label} {name}", layout={"width": "80px"})
            for name in names
        ]
        self.start = ipywidgets.Button(description="Start", button_style="primary", tooltip="Start a game")
        self.stop = ipywidgets.Button(description="Stop", disabled=True, tooltip="End this game")
        self.speed = ipywidgets.Dropdown(options=SPEEDS, value=1.0, description="Speed:")
        self.image = DescribedImage(
            value=first_picture, format="jpeg", tooltip=f"{env_id}, the game you play", layout=PICTURE_LAYOUT
        )
        self.text = ipywidgets.HTML(f"<p>Press Start. {self.moves.help} {HOW_TO}</p>")
        for index, button in enumerate(self.buttons):
            button.on_click(lambda _, index=index: setattr(self.push, "value", index))
        self.start.on_click(self._start)
        self.stop.on_click(self._stop)
        top = ipywidgets.HBox([self.start, self.stop, *self.buttons, self.speed], layout={"flex_flow": "row wrap"})
        self.box = ipywidgets.VBox([top, self.push, self.text, self.image])

    @property
    def running(self) -> bool:
        """Whether a game is on."""
        return self.task is not None and not self.task.done()

    def _start(self, button: ipywidgets.Button) -> None:
        if self.running:
            return
        self.rivals = self.rivals or rivals(self.env_id, self.trained)
        self.start.disabled, self.stop.disabled = True, False
        self.task = asyncio.get_running_loop().create_task(self._play())

    def _stop(self, button: ipywidgets.Button) -> None:
        if self.task is not None:
            self.task.cancel()

    async def _play(self) -> None:
        """One game. Steps follow the clock, not the pictures: a slow connection drops pictures, not time."""
        how = "the time is over"
        try:
            env = self.env = make_single_env(self.env_id, render_mode="rgb_array")
            fps = float(env.metadata.get("render_fps", 50)) * float(self.speed.value)
            env.reset()  # unseeded: a game that starts the same way every time is learnt by heart
            env.render()  # the first picture takes long; it is drawn before the clock starts
            self.score, self.steps = 0.0, 0
            loop = asyncio.get_running_loop()
            begin = loop.time()
            while (now := loop.time() - begin) < self.seconds:
                ended = False
                due = int(now * fps) + 1 - self.steps
                if due > fps:  # the kernel was busy with something else: go on from here instead of rushing
                    begin += (due - 1) / fps
                    due = 1
                for _ in range(due):
                    _, reward, terminated, truncated, _ = env.step(self.moves.actions[self.push.value])
                    self.score += float(reward)
                    self.steps += 1
                    if ended := bool(terminated or truncated):
                        how = "the episode has ended" if terminated else "the full length: the time limit ended it"
                        break
                self.image.value = encode(env.render())
                self._report()
                if ended:
                    break
                await asyncio.sleep(1 / FRAMES_PER_SECOND)
        except asyncio.CancelledError:
            how = "you stopped it"
        except Exception as error:
            how = f"it cannot go on: {type(error).__name__}: {error}"
        finally:
            self._end(how)

    def _end(self, how: str) -> None:
        if self.env is not None:
            self.env.close()
            self.env = None
        self.start.disabled, self.stop.disabled = False, True
        self.games += 1
        self.best = max(self.best, self.score)
        self._report(f" It is over: {how}. Best of {self.games}: {self.best:.0f}.")

    def _report(self, end: str = "") -> None:
        self.text.value = (
            f"<p role='status'>Your return: <strong>{self.score:.0f}</strong> after {self.steps} steps.{end} "
            f"{self.rivals}</p>"
        )


def play(env_id: str = "CartPole-v1", seconds: float = 20.0, *, trained: Any = None) -> None:
    """Show the game. It starts with the Start button, and ends with the episode, Stop, or after `seconds`.

    The score stands beside a random agent's mean over 100 episodes, measured when the first game starts, and beside a
    trained agent's. Without a front end there is one picture, and nothing runs.
    Args: trained: a Result or a policy to play against; None takes the course's own agent, where one is measured.
    Raises: InvalidInput for an environment whose actions have no buttons, or that has no pictures.
    """
    moves(env_id)
    first = encode(record_frames(None, env_id, seed=0, max_steps=0).images[0])
    game = Game(env_id, seconds, first, trained)
    static = picture(
        first,
        "image/jpeg",
        alt=f"The start of an episode of {env_id}.",
        caption="Run this cell in JupyterLab to play: Start, then push with the buttons or the arrow keys.",
    )
    show_widget(game.box, static)


def encode(image: Any) -> bytes:
    """A frame [height, width, 3] as JPEG: 25 a second have to pass through the kernel's connection."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(image, dtype=np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()

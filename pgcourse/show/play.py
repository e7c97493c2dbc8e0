"""Play the environment yourself, at true speed, in the page."""

import asyncio
import io
from typing import Any

import gymnasium
import ipywidgets
import numpy as np
from PIL import Image

from ..envs import make_single_env
from ..errors import InvalidInput
from ..evaluation import evaluate
from ..render import record_frames
from .page import picture
from .widgets import PICTURE_LAYOUT, DescribedImage, show_widget

FRAMES_PER_SECOND = 25
RANDOM_EPISODES = 100
SPEEDS = {"true speed": 1.0, "half speed": 0.5, "quarter speed": 0.25}
ACTION_NAMES = {"CartPole-v1": ("Left", "Right"), "MountainCar-v0": ("Left", "Coast", "Right")}


class Game:
    """One player at one environment: buttons, picture, score. Nothing runs before Start or after the end."""

    def __init__(self, env_id: str, seconds: float, first_picture: bytes) -> None:
        space = _actions(env_id)
        if not seconds > 0:
            raise InvalidInput(f"seconds={seconds} is not positive; give the longest time of a game, such as 20")
        self.env_id, self.seconds = env_id, seconds
        self.env: gymnasium.Env[Any, Any] | None = None
        self.task: asyncio.Task[None] | None = None
        self.score, self.best, self.steps, self.games = 0.0, -np.inf, 0, 0
        self.random_mean: float | None = None
        names = ACTION_NAMES.get(env_id, tuple(f"Action {i}" for i in range(int(space.n))))
        self._first_action = int(space.start)
        # A slider takes the arrow keys once it has the focus: one key press is one change of direction.
        self.push = ipywidgets.SelectionSlider(
            options=[(name, i) for i, name in enumerate(names)], value=0, description="Push:"
        )
        self.buttons = [ipywidgets.Button(description=name, tooltip=f"Push: {name}") for name in names]
        self.start = ipywidgets.Button(description="Start", button_style="primary", tooltip="Start a game")
        self.stop = ipywidgets.Button(description="Stop", disabled=True, tooltip="End this game")
        self.speed = ipywidgets.Dropdown(options=SPEEDS, value=1.0, description="Speed:")
        self.image = DescribedImage(
            value=first_picture,
            format="jpeg",
            tooltip=f"{env_id}, the game you play",
            layout=PICTURE_LAYOUT,
        )
        self.text = ipywidgets.HTML(f"<p>{HOW_TO}</p>")
        for index, button in enumerate(self.buttons):
            button.on_click(lambda _, index=index: setattr(self.push, "value", index))
        self.start.on_click(self._start)
        self.stop.on_click(self._stop)
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox([self.start, self.stop, *self.buttons, self.speed], layout={"flex_flow": "row wrap"}),
                self.push,
                self.text,
                self.image,
            ]
        )

    @property
    def running(self) -> bool:
        """Whether a game is on."""
        return self.task is not None and not self.task.done()

    def _start(self, button: ipywidgets.Button) -> None:
        if self.running:
            return
        if self.random_mean is None:
            self.random_mean = evaluate(None, self.env_id, num_episodes=RANDOM_EPISODES, seed=0).mean
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
                    _, reward, terminated, truncated, _ = env.step(self.push.value + self._first_action)
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
            f"A random agent: {self.random_mean:.1f} on average of {RANDOM_EPISODES} episodes.</p>"
        )


HOW_TO = (
    "Press Start. Left and Right say where the cart is pushed from then on: there is no rest. With the "
    "keyboard: focus on the slider, then the arrow keys. True speed is hard: try half speed first."
)


def play(env_id: str = "CartPole-v1", seconds: float = 20.0) -> None:
    """Show the game. It starts with the Start button, and ends with the episode, Stop, or after `seconds`.

    The score stands beside a random agent's mean over 100 episodes, measured when the first game starts.
    Without a front end there is one picture, and nothing runs.
    Raises: InvalidInput for an environment without discrete actions or without pictures.
    """
    _actions(env_id)
    first = encode(record_frames(None, env_id, seed=0, max_steps=0).images[0])
    game = Game(env_id, seconds, first)
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


def _actions(env_id: str) -> gymnasium.spaces.Discrete:
    env = make_single_env(env_id)
    space = env.action_space
    env.close()
    if not isinstance(space, gymnasium.spaces.Discrete) or space.n > 6:
        raise InvalidInput(
            f"{env_id!r} has actions {space}, which have no buttons; choose one with a few discrete actions"
        )
    return space

"""What a dashboard is made of in the page: buttons, settings, words, pictures."""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets

from .dashboard_fields import Fields
from .dashboard_film import Film
from .dashboard_run import ENDED, PAUSED, PAUSING, RUNNING, STARTING, STOPPING
from .widgets import PICTURE_LAYOUT, DescribedImage

ROW = {"flex_flow": "row wrap", "align_items": "center"}


class Controls:
    """The widgets of a dashboard, which know what each state of a run allows.

    Args: config: where the settings start. curves: the first picture.
    """

    def __init__(self, config: Any, *, film: bool, curves: bytes) -> None:
        self.start = button("Start", "Train with these settings", button_style="primary")
        self.pause = button("Pause", "Hold the run after this update, or go on", disabled=True)
        self.stop = button("Stop", "End the run and keep its result", disabled=True)
        self.seed = seed_field(config.seed)
        self.film = ipywidgets.Checkbox(
            value=film, description="film the agent", indent=False, layout={"width": "160px"}
        )
        self.fields = Fields(config)
        settings = ipywidgets.Accordion([self.fields.box], titles=("Settings",), selected_index=None)
        self.text = ipywidgets.HTML("<p role='status'>Press Start.</p>")
        self.alarms = ipywidgets.HTML()
        self.image = DescribedImage(value=curves, format="png", layout=PICTURE_LAYOUT)
        self.agent = DescribedImage(
            format="gif", layout={"display": "none", "max_width": "100%", "margin": "0 16px 0 0"}
        )
        top = ipywidgets.HBox([self.start, self.pause, self.stop, self.seed, self.film], layout=ROW)
        below = ipywidgets.HBox([self.agent, self.alarms], layout={**ROW, "align_items": "flex-start"})
        self.box = ipywidgets.VBox([top, settings, self.text, self.image, below])

    def on_press(
        self,
        *,
        start: Callable[[], None],
        pause: Callable[[], None],
        stop: Callable[[], None],
        film: Callable[[], None],
    ) -> None:
        """What the buttons do."""
        for pressed, action in ((self.start, start), (self.pause, pause), (self.stop, stop)):
            pressed.on_click(lambda _, action=action: action())
        self.film.observe(lambda _: film(), names="value")

    def read(self) -> Any:
        """The config that the controls say. Raises: InvalidInput."""
        return self.fields.read(self.seed.value)

    def follow(self, state: str) -> None:
        """Enable what the state of the run allows."""
        on = state != ENDED
        self.start.disabled = self.seed.disabled = on
        self.fields.disable(on)
        self.stop.disabled = not on or state == STOPPING
        self.pause.disabled = state not in (STARTING, RUNNING, PAUSING, PAUSED)
        self.pause.description = "Resume" if state in (PAUSING, PAUSED) else "Pause"
        self.start.description = "Start" if on else "Start again"

    def complain(self, message: str) -> None:
        """Say what is wrong with the settings."""
        self.text.value = f"<p role='alert' style='line-height: 1.4; margin: 4px 0'>✗ {html.escape(message)}</p>"

    def draw(self, curves: bytes, description: str) -> None:
        """New curves, and what they show in words."""
        self.image.value, self.image.tooltip = curves, description

    def show_agent(self, film: Film | None) -> None:
        """The newest film where films are wanted; it plays once and stands still."""
        if film is None or not self.film.value:
            self.agent.layout.display = "none"
            return
        if self.agent.value != film.gif:
            self.agent.value, self.agent.tooltip = film.gif, film.description
        self.agent.layout.display = ""


def button(word: str, tooltip: str, **look: Any) -> ipywidgets.Button:
    """A button as wide as its words need."""
    return ipywidgets.Button(description=word, tooltip=tooltip, layout={"width": "110px"}, **look)


def seed_field(seed: int) -> ipywidgets.BoundedIntText:
    """Where a seed is typed."""
    return ipywidgets.BoundedIntText(
        value=seed, min=0, max=2**31, description="seed", style={"description_width": "initial"},
        layout={"width": "130px", "margin": "2px 12px"},
    )  # fmt: skip

"""What the landing page shows that is made from the course itself: the agent, a check's answer, the units."""

import base64
import html
from pathlib import Path

# A wrong answer that many people write first. The landing page shows what the course's check says to it.
WRONG_GAE = """\
def gae(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    done = (terminated | truncated).float()
    deltas = rewards + gamma * next_values * (1 - done) - values
    advantages, following = [], 0.0
    for t in reversed(range(len(rewards))):
        following = deltas[t] + gamma * gae_lambda * (1 - done[t]) * following
        advantages.insert(0, following)
    return torch.stack(advantages)
"""


def live_agent(root: Path) -> str:
    """HTML of the agent on the landing page."""
    film = base64.b64encode((root / "docs" / "agent.gif").read_bytes()).decode()
    alt = "A cart that learned to keep its pole upright moves a little left and right."
    return f'<figure class="pg-figure"><img src="data:image/gif;base64,{film}" alt="{alt}"></figure>'


def verdict_on_wrong_gae() -> str:
    """What the check of the course answers to `WRONG_GAE`, as HTML."""
    import torch

    from pgcourse.checks import run

    names: dict[str, object] = {"torch": torch}
    exec(WRONG_GAE, names)
    message = html.escape(run("gae", names["gae"]).message)
    return f'<div class="pg-card pg-card-wrong"><pre class="pg-answer">{message}</pre></div>'


def filled(index: str, *, root: Path, unit_map: str) -> str:
    """The landing page with its placeholders filled. Raises: SystemExit for one that is missing."""
    parts = {
        "@agent@": lambda: live_agent(root),
        "@wrong-code@": lambda: "```python\n" + WRONG_GAE + "```",
        "@verdict@": verdict_on_wrong_gae,
        "@units@": lambda: unit_map,
    }
    for name, made in parts.items():
        if name not in index:
            raise SystemExit(f"tools.site: site/index.md has no {name}")
        index = index.replace(name, made())
    return index

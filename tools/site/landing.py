"""What the landing page shows that is made from the course itself: the agents, a check's answer, the units."""

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


def live_agents() -> str:
    """The course's own agents at work, from random to trained, as a block of MyST: a script may hold empty lines."""
    from pgcourse.show.live import agents

    caption = "They act in this page, now. Push one: with the buttons, or with a press on the picture."
    return f"~~~~{{raw}} html\n{agents.landing(caption=caption)}\n~~~~"


def verdict_on_wrong_gae() -> str:
    """The card with which the course answers `WRONG_GAE`, as a block of MyST."""
    import torch

    from pgcourse.checks import run
    from pgcourse.checks.card import verdict_card

    names: dict[str, object] = {"torch": torch}
    exec(WRONG_GAE, names)
    return f"~~~~{{raw}} html\n{verdict_card('gae', run('gae', names['gae']))}\n~~~~"


def filled(index: str, *, unit_map: str) -> str:
    """The landing page with its placeholders filled. Raises: SystemExit for one that is missing."""
    parts = {
        "@agents@": live_agents,
        "@wrong-code@": lambda: "```python\n" + WRONG_GAE + "```",
        "@verdict@": verdict_on_wrong_gae,
        "@units@": lambda: unit_map,
    }
    for name, made in parts.items():
        if name not in index:
            raise SystemExit(f"tools.site: site/index.md has no {name}")
        index = index.replace(name, made())
    return index

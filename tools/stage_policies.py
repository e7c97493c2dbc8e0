"""Train the agents that pages without a run show, and write them into the package.

`python -m tools.stage_policies`: PPO with its presets and the seeds below, copies on the way, as
`pgcourse/show/live/policies/ENV.json`.
"""

from dataclasses import replace
from typing import Any

from pgcourse import evaluate, ppo
from pgcourse.config import Config
from pgcourse.show.live.agents import POLICIES
from pgcourse.show.live.embed import as_json
from pgcourse.show.live.policy import policy_json
from pgcourse.show.live.stages import train_with_stages
from pgcourse.storage import atomic_write

SEED = 1
# Config, and the step at which the agent is half trained.
STAGES: dict[str, tuple[Config, int]] = {
    "CartPole-v1": (replace(ppo.CARTPOLE, seed=SEED), 8_000),
    "Pendulum-v1": (replace(ppo.PENDULUM, seed=SEED), 10_000),
}


def make(env_id: str) -> dict[str, Any]:
    """What the file of an environment holds."""
    config, half = STAGES[env_id]
    _, stages = train_with_stages(ppo.train, config, at=(0, half), by="env_step")
    titles = ["random", f"after {half:,} steps", f"trained, {config.total_timesteps:,} steps"]
    agents = []
    for title, policy in zip(titles, stages.values(), strict=True):
        mean = evaluate(policy, env_id, num_episodes=100, seed=0).mean
        print(f"{env_id} {title}: {mean:.1f} over 100 held-out episodes")
        agents.append({"title": title, "policy": policy_json(policy) if policy is not None else None})
    return {"made": f"pgcourse.ppo, its preset for {env_id}, seed {config.seed}", "agents": agents}


if __name__ == "__main__":
    for name in STAGES:
        path = atomic_write(POLICIES / f"{name}.json", as_json(make(name)) + "\n")
        print(f"wrote {path.name}, {path.stat().st_size / 1000:.1f} kB")

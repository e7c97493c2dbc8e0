"""Scaling: steps a second with 1 to 65,536 environments, on the CPU and, where there is one, a GPU.

Two loops: the batched environment alone with random actions, and a whole iteration (rollout and update) of PPO. The
GPU's crossover with the CPU is what `device="auto"` goes by.
"""

import time
from dataclasses import replace
from typing import Any

import torch

from pgcourse import ppo
from pgcourse.envs import make_envs

SIZES = [4**k for k in range(9)]  # 1 to 65,536


def env_steps_per_second(num_envs: int, device: str, *, seconds: float = 0.5) -> float:
    """Of CartPole alone, with random actions."""
    envs = make_envs("CartPole-v1", num_envs, seed=0, device=device)
    actions = torch.randint(0, 2, (num_envs,), device=device)
    with torch.inference_mode():
        for _ in range(5):
            envs.step(actions)
        _wait(device)
        steps, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            for _ in range(10):
                envs.step(actions)
            _wait(device)
            steps += 10 * num_envs
    return steps / (time.perf_counter() - start)


def training_steps_per_second(num_envs: int, device: str) -> float:
    """Of PPO on CartPole: rollouts of 32 steps, 4 epochs of 4 minibatches, on one CPU thread or one GPU."""
    num_steps = 32
    config = replace(
        ppo.CARTPOLE, num_envs=num_envs, num_steps=num_steps, minibatch_size=max(num_envs * num_steps // 4, 1)
    )
    times: list[float] = []

    def stop(progress: Any) -> bool:
        _wait(device)
        times.append(time.perf_counter())
        return len(times) >= 3 and times[-1] - times[1] > 1.0

    ppo.train(replace(config, total_timesteps=10**12), device=device, on_iteration=stop)
    return (len(times) - 2) * config.batch_size / (times[-1] - times[1])


def measure() -> list[dict[str, Any]]:
    """One row a size and device."""
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    if len(devices) == 1:
        print("no CUDA device: the GPU's half of the measurement is skipped")
    rows = []
    for num_envs in SIZES:
        for device in devices:
            if device == "cpu":
                torch.set_num_threads(1)
            row = {
                "num_envs": num_envs,
                "device": device,
                "env_steps_per_second": env_steps_per_second(num_envs, device),
                "training_steps_per_second": training_steps_per_second(num_envs, device),
            }
            print(
                f"{num_envs:6,} envs on {device:4}: {row['env_steps_per_second']:13,.0f} env steps/s, "
                f"{row['training_steps_per_second']:11,.0f} with PPO"
            )
            rows.append(row)
    return rows


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()

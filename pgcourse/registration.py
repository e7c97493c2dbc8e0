"""Register the package's environments with Gymnasium. Their classes are named as text: this imports no torch."""

from gymnasium.envs.registration import register, registry

NAMESPACE = "pgcourse/"


def register_envs() -> None:
    """Register ours: the batched one for `gymnasium.make_vec`, a single one with rendering for `gymnasium.make`."""
    if NAMESPACE + "CartPole-v1" in registry:
        return
    register(
        NAMESPACE + "CartPole-v1",
        entry_point="pgcourse.envs.cartpole:single_env",
        vector_entry_point="pgcourse.envs.cartpole:CartPoleVectorEnv",
        max_episode_steps=500,
        reward_threshold=475.0,
    )
    register(
        NAMESPACE + "CartPolePositions-v0",
        entry_point="pgcourse.envs.positions:single_env",
        vector_entry_point="pgcourse.envs.positions:CartPolePositionsVectorEnv",
        max_episode_steps=500,
        reward_threshold=475.0,
    )
    register(
        NAMESPACE + "Pendulum-v1",
        entry_point="pgcourse.envs.pendulum:single_env",
        vector_entry_point="pgcourse.envs.pendulum:PendulumVectorEnv",
        max_episode_steps=200,
    )
    register(
        NAMESPACE + "ShortCorridor-v0",
        entry_point="pgcourse.envs.corridor:ShortCorridorEnv",
        vector_entry_point="pgcourse.envs.corridor:ShortCorridorVectorEnv",
        max_episode_steps=1000,
    )
    register(
        NAMESPACE + "Catch-v0",
        entry_point="pgcourse.envs.catch:CatchEnv",
        vector_entry_point="pgcourse.envs.catch:CatchVectorEnv",
        max_episode_steps=100,
        reward_threshold=0.9,
    )
    register(
        NAMESPACE + "LongCorridor-v0",
        entry_point="pgcourse.envs.long_corridor:LongCorridorEnv",
        vector_entry_point="pgcourse.envs.long_corridor:LongCorridorVectorEnv",
        max_episode_steps=1000,
    )
    for name, switched in (("KeyDoor-v0", True), ("StraightKeyDoor-v0", False)):
        register(
            NAMESPACE + name,
            entry_point="pgcourse.envs.key_door:KeyDoorEnv",
            vector_entry_point="pgcourse.envs.key_door:KeyDoorVectorEnv",
            max_episode_steps=64,
            reward_threshold=0.9,
            kwargs={"switched": switched},
        )

"""What a lesson shows: figures, sliders, questions, a game, agents in training, the learner's own agent.

Import the module you need (`from pgcourse.show import plots`): nothing is loaded before, as matplotlib and
ipywidgets take a second.
"""

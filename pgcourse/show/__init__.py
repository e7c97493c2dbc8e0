"""What a lesson shows: the page, figures, what moves in it, the dashboard, the clinic, questions, the learner's own agent.

Import the module you need (`from pgcourse.show.figures import curves`): nothing is loaded before, as matplotlib and
ipywidgets take a second.
"""

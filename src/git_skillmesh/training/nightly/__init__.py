"""Rewards, data set, training, judging and deployment as one pipeline, and its schedule.

In: a repository that has a memory, a base model. Out: a report, and an adapter deployed if it is
better. `pipeline` decides, `child` runs, `state` remembers.
"""

"""The schedule of the pipeline: cron, systemd or GitHub, set and taken away exactly.

In: a repository, a time. Out: a block in a crontab, two units, or a workflow, each marked as ours.
"""

"""A command that runs every day: by cron, systemd or GitHub, set and taken away exactly.

In: a job, a repository, a time. Out: a block in a crontab, two units, or a workflow, each marked as
ours.
"""

"""Everything that must not be lost in one file, brought back from it, and what takes how much room.

In: a repository. Out: a file; a repository that has everything again; sizes. docs/backup.md.
"""

"""Expert cards ("skills"): load, validate, route and render them.

In: folders of SKILL.md files or a registry file. Out: cards, hits for a question, and blocks of
instructions that an agent reads. Knows nothing of the index of a repository.
"""

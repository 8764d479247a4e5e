"""The report's figures: one module per kind, each with one function `draw`.

Nothing is imported here: a process that draws one kind loads that kind only.
"""

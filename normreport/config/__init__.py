"""The typed configuration, one module per stage that reads it.

Kept apart so that a stage's source files hold only the settings that it uses: an edit of the
report's settings is no reason to train again.
"""

"""The stages of the workflow: each reads files, calls pure functions and writes files.

A stage has one name everywhere: ``train_run`` is a rule, a rule file, a module here, a subcommand,
a folder of logs and a test. Each module has one function, ``run``, whose parameters are the
options of the subcommand. Only stages, commands and the command line handle paths.
"""

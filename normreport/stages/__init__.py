"""The stages of the workflow: read files, call pure functions, write files.

One word per stage: ``train_run`` is a rule, a file of rules, a module here, a subcommand, a folder
of logs and a test. Only these modules and the command line touch paths; each has one function,
``run``, whose parameters are the subcommand's options.
"""

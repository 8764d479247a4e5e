"""Subcommands for people; the stages of the workflow are in :mod:`normreport.stages`."""

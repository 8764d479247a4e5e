"""Tests of `normreport.commands`, one module per module."""

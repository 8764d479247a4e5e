"""Tests of `normreport.settings`, one module per module."""

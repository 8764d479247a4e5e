"""Tests of `normreport.config`, one module per module."""

"""Tests of `normreport.figures`, one module per module."""

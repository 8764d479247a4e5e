"""Error rates and power of the verdicts, on studies whose truth is known."""

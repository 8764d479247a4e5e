"""Train, measure, judge and report what input normalization does to a network's weights."""

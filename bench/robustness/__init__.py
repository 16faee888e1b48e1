"""`make robustness`: what the solvers of stages 2 and 4 make of bad input, against the truth."""

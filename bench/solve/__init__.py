"""`make bench-solve`: how long the solvers of stages 2 and 4 compile and run."""

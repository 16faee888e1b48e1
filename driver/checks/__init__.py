"""What a runner needs and has here: for one line before a run, and for all lines of the doctor."""

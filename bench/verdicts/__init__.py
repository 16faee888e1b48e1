"""`make bench-verdicts`: how many of the errors put into good clips the verdicts find."""

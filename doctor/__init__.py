"""Whether this machine can run the stages, by the standard library of Python 3.9 alone: it is asked
before anything is set up."""

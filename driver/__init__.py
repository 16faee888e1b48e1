"""The host's side: what `make` calls. The standard library of Python 3.9, nothing else.

Builds every command as a list, never as text for a shell; runs the chain or submits it to Slurm,
makes the virtual environment, says what a machine lacks.
"""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 # Any Python can read this file.
    sys.stderr.write("Python 3.9 or later is wanted: name another, such as PYTHON=python3.11\n")
    sys.exit(2)

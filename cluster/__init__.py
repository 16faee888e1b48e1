"""Stages as Slurm job arrays: submission and status.

Runs on login nodes: Python 3.9 or later and its standard library, nothing else.
"""

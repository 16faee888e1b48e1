"""Stages as Slurm job arrays: shards of videos, submissions, and what Slurm says of them."""

"""Finished motions in the files of the trainers that read them."""

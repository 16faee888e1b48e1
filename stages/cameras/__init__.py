"""The frames that a world is made of, and its resolution."""

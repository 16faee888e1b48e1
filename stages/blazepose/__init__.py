"""BlazePose's landmark network: how it is run on a person, and what its points are."""

"""People and place in one metric world: scale, trajectories and poses solved together."""

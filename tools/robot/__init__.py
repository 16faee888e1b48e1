"""Tools that write the robot descriptions under data/robots."""

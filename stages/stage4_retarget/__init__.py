"""People's motion to a robot's: the whole trajectory at once, on the terrain it happened on."""

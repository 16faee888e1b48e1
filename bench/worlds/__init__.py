"""MegaSaM on rendered scenes, with true flow in the place of the network's."""

"""World methods on rendered scenes, with the truth, disturbed, in the place of their networks."""

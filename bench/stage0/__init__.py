"""Speed of the networks' stages at their official sizes."""

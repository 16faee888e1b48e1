"""Who is who in a video: people by their clothes and places, and pairs of what belongs together."""

"""People's masks and identities: Grounding DINO finds them, SAM 2 follows them."""

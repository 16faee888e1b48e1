"""Where pixels of a picture are in another one: RAFT, and the parts that trackers share."""

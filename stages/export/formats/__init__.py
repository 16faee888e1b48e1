"""One module a trainer: what its files hold, in which order and with which quaternions."""

"""One Beam transform for each step: thin shells around the modules of the same names in `wirewatch/`."""

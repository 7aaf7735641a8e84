"""A real browser: where it is, and how it is started for tests and screenshots."""

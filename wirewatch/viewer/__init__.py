"""Web pages, feeds and an API over a store: what changed, and the proof of it."""

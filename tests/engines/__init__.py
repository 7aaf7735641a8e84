"""Real engines to run streams on: Prism and Flink, installed beside the repository's files and started here."""

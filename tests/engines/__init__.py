"""Real engines to run the streaming job on: Prism and Flink, installed beside the repository's files and started here."""

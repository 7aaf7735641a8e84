"""The jobs one starts: their configuration, their graphs, and the command line."""

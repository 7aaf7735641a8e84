"""What Wirewatch knows about news: a library without Beam, for jobs, notebooks and web servers alike."""

__version__ = "0.1.0"

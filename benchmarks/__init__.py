"""What is measured on real data; each module prints its figures beside their goals."""

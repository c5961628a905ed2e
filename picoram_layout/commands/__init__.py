"""What the commands do, one module per group; each function returns the exit status."""

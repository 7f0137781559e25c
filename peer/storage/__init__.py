"""What the node keeps: one encrypted SQLite file per account. SQL is nowhere else."""

"""What the package costs, as ratios against named rivals measured in the same run."""

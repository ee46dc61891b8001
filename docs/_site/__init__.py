"""What Sphinx does not know of this repository: its pages, its docstrings, its names."""

"""The commands of `python -m tasks`: one module each, registered in tasks/__main__.py."""

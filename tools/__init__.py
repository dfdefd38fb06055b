"""What `make check` runs beside the well-known tools."""

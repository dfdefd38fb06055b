"""Settings, logging and connections: what every process needs before it starts."""

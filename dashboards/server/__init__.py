"""What runs inside Superset's own environment: its configuration and how its metadata is made. Nothing of ours imports this."""

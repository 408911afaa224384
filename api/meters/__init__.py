"""Readings and events that head-end systems push. What they mean is the readers', that they are stored once is landing's."""

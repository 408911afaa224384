"""Estimation of what is missing or was refused (domain 6.3): methods as arithmetic on arrays, and the job that feeds them."""

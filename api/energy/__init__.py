"""Energy balances of DTs, feeders and offices."""

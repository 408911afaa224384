"""What readings say of the consumer index and of theft, once a month: evidence by meter, which balances and reports cannot see."""

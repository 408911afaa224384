"""What the machine could not settle and a person must: exceptions grouped to cases, their queue, and the work orders that they ask for."""

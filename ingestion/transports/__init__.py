"""How bytes come from a head-end system: a module a transport. They fetch and land; what bytes mean is the readers' matter."""

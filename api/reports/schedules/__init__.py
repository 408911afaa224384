"""Reports that go out by themselves: what a DISCOM's file says (config), what is due (queue), and how it gets there (deliver)."""

"""Edits of validated data and frozen periods over HTTP. What is accepted and why is `vee.edits`. The name of the operator's key is the
person who edits, approves or freezes."""

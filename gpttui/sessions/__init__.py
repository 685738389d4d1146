"""What a person keeps of a session: the tree of continuations, exported tables, the command that repeats it."""

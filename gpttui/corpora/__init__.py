"""Generated worlds to learn from: each module is one pure, seeded generator of documents."""

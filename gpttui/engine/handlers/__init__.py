"""The engine's answers, a module for each family of requests; each handler registers where it stands."""

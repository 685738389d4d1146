"""The view `branches`: every continuation that was tried, as a tree."""

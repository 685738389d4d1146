"""The tour: cards beside the live panes, which check deeds on the state of the program."""

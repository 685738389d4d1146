"""The inside views: a folder each (its screen, its panes, what draws them), and the frame that all of them share."""

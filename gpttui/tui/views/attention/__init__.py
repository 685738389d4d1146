"""The view `attention`: one head stage by stage, one cell by dimension, all heads at once."""

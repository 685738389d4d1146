"""One training step, part by part: forward, where the error starts, backwards, into the weights, update, after it."""

"""The view `cost`: what one token costs in time, FLOPs and bytes."""

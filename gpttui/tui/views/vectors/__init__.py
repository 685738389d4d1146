"""The view `vectors`: tokens as vectors: neighbours, a map, arithmetic."""

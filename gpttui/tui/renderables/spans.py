"""Spans of time, amounts of memory and speeds in a few characters, for people.

For: every place that names one. Not for: probabilities and parameters (`labels`, `status_header`).
"""


def duration(seconds: float) -> str:
    """`8 s`, `1:05`, `12:30`, `2:05:00`; what is below ten seconds with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory(size_bytes: float) -> str:
    """`412 MB`, `1.2 GB`."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def per_second(value: float) -> str:
    """`850`, `12,300`, `1.2 M`, rounded to what does not flicker."""
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    if value >= 1000:
        return f"{round(value, -2):,.0f}"
    return f"{value:.0f}"


def rate(value: float) -> str:
    """A learning rate: `0.001`, `3.2e-05`."""
    return f"{value:.4g}" if value >= 1e-4 or value == 0 else f"{value:.1e}"

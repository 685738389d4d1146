"""The two looks of gpttui, dark and light. Panes use their variables only; colour maps live in `palette`.

Both lean on cividis, the map of the heatmaps: its yellow is the accent, its blue the primary, so that a picture of
attention does not fight the frame around it. Any Textual theme can be chosen in the settings instead.
"""

from textual.theme import Theme

DARK = Theme(
    name="gpttui-dark",
    primary="#7aa2d8",
    secondary="#8f86c9",
    accent="#f2cf4a",
    foreground="#d7dce6",
    background="#0e1117",
    surface="#131820",
    panel="#1b222d",
    success="#7bc47f",
    warning="#e8a75d",
    error="#e5697a",
    dark=True,
    variables={
        "border": "#4a5a78",
        "border-blurred": "#29323f",
        "block-cursor-background": "#f2cf4a",
        "block-cursor-foreground": "#12151b",
        "footer-background": "#0e1117",
        "footer-key-foreground": "#f2cf4a",
        "footer-description-foreground": "#8b95a7",
    },
)
LIGHT = Theme(
    name="gpttui-light",
    primary="#2c5c9c",
    secondary="#6254a8",
    accent="#8a6100",
    foreground="#20242c",
    background="#f4f2ec",
    surface="#fbfaf6",
    panel="#e6e3da",
    success="#2e7d39",
    warning="#9a5b00",
    error="#b3263c",
    dark=False,
    variables={
        "border": "#8fa3c0",
        "border-blurred": "#d2cec2",
        "block-cursor-background": "#2c5c9c",
        "block-cursor-foreground": "#fbfaf6",
        "footer-background": "#f4f2ec",
        "footer-key-foreground": "#8a6100",
        "footer-description-foreground": "#5d6470",
    },
)
DEFAULT = DARK.name
ALL = (DARK, LIGHT)

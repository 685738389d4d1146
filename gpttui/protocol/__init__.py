"""What the screen and the engine say to each other: typed requests and answers, and how they are framed. No torch."""

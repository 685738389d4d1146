"""Models on disk, judged before any is loaded: where they are found, what their files hold, their cards. No torch."""

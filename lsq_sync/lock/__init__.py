"""Recorded state on disk: the lock that git reviews, and the journal that a crash leaves."""

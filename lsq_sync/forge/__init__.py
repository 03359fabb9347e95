"""Where the repository is hosted: comments, issues, pull requests."""

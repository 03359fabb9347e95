"""The CRM: what its API means (`protocol`, pure), how fast it may be asked, and the one client."""

"""Declarative sync of LeadSquared opportunity fields."""

__version__ = "0.1.0"

"""The verbs: one function is one use case and one transaction; the viewer comes first."""

"""The tables, nothing else. A ladder: each file may look only at those below it."""

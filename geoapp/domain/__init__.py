"""What decides: pure functions and values. No Flask, no SQL, no clock, no files."""

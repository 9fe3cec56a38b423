"""Every SQL statement of the app. Functions take a Session and return frozen rows, text or bytes."""

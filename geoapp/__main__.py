"""``python -m geoapp`` is the command line."""

from geoapp.cli import main

main()

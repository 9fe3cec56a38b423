"""Layers in, Folium HTML out: no queries, no requests, and no text that a resident wrote."""

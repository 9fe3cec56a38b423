"""The doors: parse, call one service, render. One file per audience or protocol."""

"""The HTTP surface: parse, authenticate, call one flow, render. One file per noun."""

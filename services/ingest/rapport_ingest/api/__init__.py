"""The HTTP doors: one module for each shape in which publishers send, and the ops routes."""

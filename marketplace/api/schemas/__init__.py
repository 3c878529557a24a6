"""The shapes that several files of the API answer with, and who of the parties sees what in them."""

"""Where stages run, never what they do."""

"""What makes a case evidence: the originals' bytes, the leaves over every record, and the custody log."""

"""`python -m fimforensics`."""

from __future__ import annotations

from fimforensics.cli import main

if __name__ == "__main__":
    main()

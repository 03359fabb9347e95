"""`python -m lsq_sync` is the same command as `lsq-sync`."""

from lsq_sync.entry import main

if __name__ == "__main__":
    main()

"""`python -m portside` is the command `portside`."""

from portside.cli.main import main

if __name__ == "__main__":
    main()

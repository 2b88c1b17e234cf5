#!/bin/sh
# Debian keeps a part of Python's venv module in a package of its own; install it, or say how.
set -eu
if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null 2>&1; then as_root="sudo -n"; else as_root=none; fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Python's venv module is missing. As root: apt-get install python3-venv" >&2
    exit 2
fi
echo "Installing python3-venv, which Python's venv module needs here." >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -qq -y --no-install-recommends python3-venv >/dev/null

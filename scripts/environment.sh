# Sourced by scripts/demo and scripts/test: makes .venv once and installs the project into it.
# usage: make_environment EXTRAS     (EXTRAS is "" or "[dev]")

make_environment() {
  extras="$1"
  python="${PYTHON:-}"
  if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3.13 python3.14 python3; do
      if command -v "$candidate" >/dev/null 2>&1; then python="$candidate"; break; fi
    done
  fi
  if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
    echo "error: Python 3.11 to 3.14 is needed (found: $("$python" --version 2>&1 || echo none)); set PYTHON=/path/to/python3.12" >&2
    return 1
  fi
  stamp=".venv/installed$extras"
  if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    echo "Setting up .venv (the first time takes a few minutes: PyTorch is large) …"
    [ -x .venv/bin/python ] || "$python" -m venv .venv || return 1
    .venv/bin/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel || return 1
    # "compat" puts the checkout on the path itself; the default finder loses to any folder called gallery/ or eval/
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --no-build-isolation \
      --config-settings editable_mode=compat --editable ".$extras" || return 1
    touch "$stamp"
  fi
  # OpenCV needs these two libraries, which slim Linux images lack.
  if ! .venv/bin/python -c 'import cv2' 2>/dev/null; then
    echo "error: OpenCV cannot load its system libraries; on Debian or Ubuntu: sudo apt-get install -y libgl1 libglib2.0-0" >&2
    .venv/bin/python -c 'import cv2' 2>&1 | tail -n 1 >&2
    return 1
  fi
}

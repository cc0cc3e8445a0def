#!/bin/sh
# Makes a virtual environment that holds what its locks pin:
#
#   make_venv.sh FOLDER LOCK... [--project]        --project installs this project too, editable
#
# Where that is done already it does nothing. An environment is made anew if its Python, its folder or a lock of it is
# another than before, or if its making was interrupted. FOLDER/.installed says what it was made of, and is written last.
#
# PYTHON names the Python to take. Without it that of an existing .venv is kept, else `python3` is taken.
# GOAL is the target of make that the messages tell people to repeat.
set -eu

goal=${GOAL:-demo}
folder=$1
shift
locks=
is_with_project=
for argument; do
  case $argument in
    --project) is_with_project=yes ;;
    *) locks="$locks $argument" ;;
  esac
done

stop() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Both run in any Python, however old.
version_of() {
  "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

is_new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Version, machine and build: packages with compiled parts work with one of them only.
identity_of() {
  "$1" -c 'import sys, importlib.machinery as m; print(sys.version.split()[0] + " " + m.EXTENSION_SUFFIXES[0])' 2>/dev/null
}

find_newer_python() {
  for candidate in python3.14 python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo python3.12
}

# 1. Which Python?
python=${PYTHON:-}
if [ -z "$python" ]; then
  python=python3
  if is_new_enough .venv/bin/python; then python=.venv/bin/python; fi
fi
version=$(version_of "$python") ||
  stop "This needs Python 3.11 or newer; $python can't be started. Set PYTHON=…, for example \`make $goal PYTHON=$(find_newer_python)\`."
is_new_enough "$python" ||
  stop "This needs Python 3.11 or newer; $python is $version. Set PYTHON=…, for example \`make $goal PYTHON=$(find_newer_python)\`."

# 2. Is the environment what it should be?
line_of() {
  printf '%s %s\n' "$1" "$(cksum <"$1")"
}

record=$folder/.installed
installed=$(cat "$record" 2>/dev/null) || installed=
has() {
  printf '%s\n' "$installed" | grep -qxF -e "$1"
}
names() {
  printf '%s\n' "$installed" | grep -q "^$1 "
}

identity="python $(identity_of "$python")"
place="folder $(pwd -P)/$folder"
reason=
if [ -z "$installed" ]; then
  reason="it is incomplete"
elif ! has "$identity" || [ "python $(identity_of "$folder/bin/python")" != "$identity" ]; then
  reason="its Python is another than $version"
elif ! has "$place"; then
  reason="it was made in another folder"
else
  for lock in $locks; do
    if names "$lock" && ! has "$(line_of "$lock")"; then reason="$lock has changed"; fi
  done
fi

# 3. Make it.
if [ -n "$reason" ]; then
  # The real file: `python` may be the one in the folder that is cleared.
  real=$("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))')
  "$real" -c 'import ensurepip, venv' 2>/dev/null ||
    stop "$python ($version) can't make virtual environments: it lacks ensurepip. On Debian and Ubuntu: apt install python${version%.*}-venv"
  mkdir -p "$folder" 2>/dev/null || :
  if [ ! -w "$folder" ]; then stop "$PWD/$folder can't be written to. Work on a copy of this folder that you may write to."; fi
  if [ -e "$folder/bin" ]; then
    echo "Making $folder anew with Python $version: $reason."
  else
    echo "Making $folder with Python $version."
  fi
  rm -f "$record"
  "$real" -m venv --clear "$folder" || stop "$folder could not be made (see above)."
  installed="$identity
$place"
fi

# 4. Install what it lacks. -I keeps PYTHONPATH and the working directory out of pip's sight; PIP_USER=0 overrules a
# pip.conf with `user = true`, which fails in an environment.
pip() {
  PIP_USER=0 "$folder/bin/python" -I -m pip "$@"
}

# Whatever is interrupted from here on is made anew the next time.
begin() {
  rm -f "$record"
  is_changed=yes
}

is_changed=
# A lock is complete, so nothing is resolved (--no-deps). The pip of Python 3.11 would resolve extras anew and choose
# versions that the lock has no hash for: it then fails on every new machine from the day on which one is published.
for lock in $locks; do
  line=$(line_of "$lock")
  if ! has "$line"; then
    begin
    echo "Installing $lock in $folder."
    pip install --quiet --no-deps --require-hashes -r "$lock" ||
      stop "pip could not install $lock (see above). It needs a package index: the internet, or a mirror that pip is set to."
    installed="$installed
$line"
  fi
done
if [ -n "$is_with_project" ]; then
  line=$(line_of pyproject.toml)
  if ! has "$line"; then
    begin
    pip install --quiet --no-deps --no-build-isolation -e . || stop "pip could not install this project (see above)."
    installed="$(printf '%s\n' "$installed" | grep -v '^pyproject.toml ')
$line"
  fi
fi
if [ -n "$is_changed" ]; then
  conflicts=$(pip check) || stop "$conflicts
What is installed in $folder doesn't fit together:$locks must be corrected."
  printf '%s\n' "$installed" >"$record"
fi

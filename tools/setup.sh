#!/bin/sh
# Make .venv with everything that the course needs, at the versions of constraints.txt. Run through `make setup`.
#
#   PYTHON=python3.12  the Python to use (default: the first of python3.13, python3.12, python3.11, python3 that fits)
#   TORCH=cpu          PyTorch's CPU build (default: what pip chooses, on Linux with gigabytes of CUDA libraries)
#
# Done once: the stamp .venv/.pgcourse-ready says with what. Whatever goes wrong is said in one line on standard error,
# and pip's full output stays in .venv/setup.log. A set-up that was cut short leaves .venv/.pgcourse-unfinished, since
# pip may then have left half of a package that it later counts as installed: the next run makes .venv anew.
set -u

venv=.venv
ready=$venv/.pgcourse-ready
unfinished=$venv/.pgcourse-unfinished
log=$venv/setup.log
extras=dev,tensorboard,dask
candidates="python3.13 python3.12 python3.11 python3 python"
cpu_index=https://download.pytorch.org/whl/cpu

cd "$(dirname "$0")/.." || exit 2
# What would send packages elsewhere, or make pip count another environment's packages as installed here.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX
PIP_USER=0
PIP_REQUIRE_VIRTUALENV=0
# The reasons below are looked up in English.
LC_ALL=C
export PIP_USER PIP_REQUIRE_VIRTUALENV LC_ALL

fail() {
    printf 'setup: %s\n' "$1" >&2
    exit 2
}

# --- Is there anything to do? -----------------------------------------------------------------------------------------

wanted_torch=${TORCH:-}
wanted_python=${PYTHON:-}
case $wanted_torch in
'' | cpu) ;;
*) fail "TORCH=$wanted_torch is not known; use TORCH=cpu for PyTorch's CPU build, or leave it out for pip's choice" ;;
esac

stamp_value() { sed -n "s/^$1 //p" "$ready" 2>/dev/null; }
fingerprint() { cat pyproject.toml constraints.txt tools/setup.sh | cksum; }
# An interpreter that has gone (a system upgrade) leaves a dangling link; a moved folder leaves old paths in scripts.
venv_runs() { "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

arguments_of() {
    if [ -r "/proc/$1/cmdline" ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -p "$1" -o args=; fi 2>/dev/null
}

here=$(pwd -P)
remake=
if [ -f "$ready" ] && venv_runs; then
    had_torch=$(stamp_value torch)
    # A TORCH that is not given again stays as it was.
    [ -n "$wanted_torch" ] || [ "$had_torch" != cpu ] || wanted_torch=cpu
    [ "$had_torch" = "${wanted_torch:-default}" ] || remake="TORCH=$wanted_torch asks for another PyTorch build"
    if [ -n "$wanted_python" ] && [ "$(version_of "$wanted_python")" != "$(version_of "$venv/bin/python")" ]; then
        remake="PYTHON=$wanted_python is another version"
    fi
    [ "$(stamp_value folder)" = "$here" ] || remake="the folder has moved"
    [ -n "$remake" ] || [ "$(stamp_value files)" != "$(fingerprint)" ] || exit 0
fi

# --- What is there now? -----------------------------------------------------------------------------------------------

if [ -f "$unfinished" ]; then
    # It lists its own process and the step that runs. Only one that still does this work counts: a number may be
    # another process's by now.
    alive=
    while read -r process; do
        case $(arguments_of "$process") in
        *tools/setup.sh* | *"$venv/bin/python -m pip"* | *"-m venv --without-pip $venv"*) alive="$alive $process" ;;
        esac
    done <"$unfinished"
    [ -z "$alive" ] || fail "another set-up is at work in this folder; wait for it, or end it (kill$alive), and run this again"
    remake="the last set-up did not finish"
elif [ -e "$venv" ] || [ -L "$venv" ]; then
    if [ -f "$venv/pyvenv.cfg" ]; then
        [ -n "$remake" ] || venv_runs || remake="its Python no longer runs"
    elif [ -L "$venv" ] || ! rmdir "$venv" 2>/dev/null; then
        fail ".venv is here but is no virtual environment; move it away (mv .venv venv.old) and run this again"
    fi
fi

# --- Which Python? ----------------------------------------------------------------------------------------------------

# Sets `python`, or fails. A Python that lacks venv is passed over as long as a later one has it.
find_python() {
    old='' bare=''
    # shellcheck disable=SC2086
    if [ -n "$wanted_python" ]; then set -- "$wanted_python"; else set -- $candidates; fi
    for name; do
        version=$("$name" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
        case $version in
        3.11.* | 3.12.* | 3.13.*) ;;
        *)
            old="$old${old:+, }$name is $version"
            continue
            ;;
        esac
        # ensurepip is what Debian and Ubuntu split off, and what venv needs.
        if "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            python=$name
            return
        fi
        bare="$bare${bare:+ }${version%.*}"
    done
    if [ -n "$bare" ]; then
        newest=${bare%% *}
        fail "Python $newest lacks the venv module; install it (Debian, Ubuntu: sudo apt install python$newest-venv) and run this again"
    fi
    where="install one (https://www.python.org/downloads; Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.12), or name it: make setup PYTHON=/path/to/python3.12"
    [ -z "$old" ] || fail "Python 3.11, 3.12 or 3.13 is needed, but $old; $where"
    [ -z "$wanted_python" ] || fail "PYTHON=$wanted_python does not run; give the name or path of Python 3.11, 3.12 or 3.13"
    fail "no Python found, and 3.11, 3.12 or 3.13 is needed; $where"
}

# --- Say in one line what went wrong ----------------------------------------------------------------------------------

# Takes the exit status of a step and what could not be done; the reason is looked up in the log.
explain() {
    has() { grep -qE "$1" "$log" 2>/dev/null; }
    if [ "$1" = 28 ]; then
        hint="the disk is full; free some space (2 GB; several more on Linux without TORCH=cpu), in the temporary folder too"
    elif has 'Permission denied|Read-only file system|Operation not permitted'; then
        hint="no permission to write; check who owns this folder (ls -ld .) or copy the course to a folder of your own"
    elif has 'CERTIFICATE_VERIFY_FAILED|SSLError'; then
        hint="the package index's certificate is not trusted; behind a company proxy set PIP_CERT to its certificate file"
    elif has 'ProxyError|Cannot connect to proxy'; then
        hint="the proxy does not answer; check HTTPS_PROXY"
    elif has 'NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ConnectionResetError|NameResolutionError|Failed to establish a new connection|Temporary failure in name resolution|Connection broken|IncompleteRead|Read timed out'; then
        hint="no connection to the package index; check the network (and PIP_INDEX_URL, if you set it)"
    elif has 'No matching distribution found for torch|\(constraint\) torch='; then
        hint="PyTorch has no build for this system ($(uname -sm)); it needs 64-bit Linux with glibc or a Mac with Apple silicon"
    elif has 'from versions: none|ResolutionImpossible'; then
        hint="the package index does not answer or lacks a package; check the network (and PIP_INDEX_URL, if you set it)"
    else
        # pip's own words, else the last exception of a build, else the last line.
        said=$(grep -vE '^$|^exit status|^(hint|note): ' "$log" 2>/dev/null)
        hint=$(printf '%s\n' "$said" | sed -n 's/^ERROR: //p' | tail -n 1)
        hint=${hint:-$(printf '%s\n' "$said" | sed -n -e 's/^ *\([A-Za-z.]*Error: \)/\1/p' | tail -n 1)}
        hint=${hint:-$(printf '%s\n' "$said" | tail -n 1)}
        hint=$(printf '%s' "${hint:-no reason given}" | cut -c 1-160)
    fi
    fail "$2: $hint; then run this again (full output: $log)"
}

# Runs a step with its output in the log; shows the downloads that take long. Returns the step's exit status.
logged() {
    {
        printf '\n$ %s\n' "$*"
        # The step's own process number joins the marker: it can outlive this script.
        sh -c 'echo $$ >>"$0"; exec "$@"' "$unfinished" "$@" 2>&1
        printf '\nexit status %d\n' $?
    } | while IFS= read -r line; do
        { printf '%s\n' "$line" >>"$log"; } 2>/dev/null
        case $line in
        # Where the disk is full, the log cannot say so.
        *'No space left on device'* | *'Disk quota exceeded'*) exit 28 ;;
        *Downloading*[0-9]\ [MG]B*) printf '  %s\n' "$(printf '%s' "$line" | sed 's/^ *//; s/-[0-9][^ ]*\.whl//; s/\.metadata//')" ;;
        Installing\ collected*torch*) printf '  Installing (a minute or two)\n' ;;
        'exit status '*) last=${line#exit status } && [ "$last" = 0 ] || exit 1 ;;
        esac
    done
}

# --- Make it ----------------------------------------------------------------------------------------------------------

if [ -n "$remake" ] || [ ! -f "$venv/pyvenv.cfg" ]; then
    find_python
    [ -z "$remake" ] || printf 'Making .venv anew: %s.\n' "$remake"
    printf 'Setting up the course in .venv with Python %s. The first time takes a few minutes.\n' "$version"
    if [ -z "$wanted_torch" ] && [ "$(uname -s)" = Linux ]; then
        # shellcheck disable=SC2016
        printf 'PyTorch for Linux may bring gigabytes of CUDA libraries; `make setup TORCH=cpu` takes the small build.\n'
    fi
    problem=$(rm -rf "$venv" 2>&1 && mkdir "$venv" 2>&1 && { echo $$ | cat >"$unfinished"; } 2>&1) || {
        case $problem in
        *'No space'* | *quota*) fail "cannot make .venv: the disk is full; free some space (2 GB; several more on Linux without TORCH=cpu) and run this again" ;;
        *) fail "cannot make .venv: no permission to write in $here; check who owns the folder (ls -ld .), or copy the course to a folder of your own" ;;
        esac
    }
    # pip in a step of its own: venv would hide why it failed.
    logged "$python" -m venv --without-pip "$venv" || explain $? "cannot make .venv"
    logged "$venv/bin/python" -m ensurepip --upgrade --default-pip || explain $? "cannot put pip into .venv"
else
    printf 'Bringing .venv up to date.\n'
    { echo $$ >"$unfinished"; } 2>/dev/null || fail "no permission to write in .venv; check who owns it (ls -ld .venv)"
    rm -f "$ready"
    : >"$log"
fi

pip="-m pip --disable-pip-version-check --no-input install -c constraints.txt"
run=$venv/bin/python
if [ "$wanted_torch" = cpu ]; then
    # Alone and without its dependencies, so that everything else comes from the usual index.
    # shellcheck disable=SC2086
    logged "$run" $pip --no-deps --index-url "$cpu_index" torch || explain $? "cannot install PyTorch's CPU build"
fi
# The build tool first, at its pinned version: a build in isolation would take the newest.
# shellcheck disable=SC2086
logged "$run" $pip hatchling editables || explain $? "cannot install the packages"
# shellcheck disable=SC2086
logged "$run" $pip --no-build-isolation -e ".[$extras]" || explain $? "cannot install the packages"

{
    printf 'torch %s\nfolder %s\nfiles %s\n' "${wanted_torch:-default}" "$here" "$(fingerprint)" >"$ready" && rm -f "$unfinished"
} 2>/dev/null || fail "the disk is full or .venv is read-only; free some space and run this again"
printf 'Ready. Start with: make lab\n'

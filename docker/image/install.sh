# Installs what some packages need to run, for an architecture as Docker names it: install.sh <arch> <daemon|relay> <folder>...
# No script of a package runs, so this may be done on another architecture than the target's.
set -eu
arch=$1
role=$2
shift 2
case "$arch" in
  amd64) cpu=x64 ;;
  *) cpu=$arch ;;
esac
for folder in "$@"; do
  # by its name: a folder would stand for all that lie in it
  test -f "$folder/package.json" && set -- "$@" "--workspace=$(node -p "require('./$folder/package.json').name")"
  shift
done
npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error --os=linux --cpu="$cpu" --libc=glibc "$@"
npm cache clean --force --loglevel=error
node /build/prune.mjs node_modules "$cpu" "$role"

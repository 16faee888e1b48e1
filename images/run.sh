#!/bin/bash
# Prints the command of a stage, runs it, and says what the exit code of a signal means, which few
# know by heart. Usage: run.sh STAGE COMMAND...
stage=$1
shift
printf '%q ' "$@"
echo
"$@"
code=$?
again="run again to go on from here"
case $code in
130) ;;
137) echo "$stage: killed (137), perhaps for want of memory; $again" >&2 ;;
129 | 1[345]?) echo "$stage: ended by a signal ($code), its last words are above; $again" >&2 ;;
esac
exit $code

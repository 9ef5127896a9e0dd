#!/bin/sh
# A mirror, not a gate: what has outgrown its room (modules over 300 lines, templates over 80, views over 15).
git ls-files 'spectator/*.py' 'tests/*.py' | xargs wc -l | awk '$2 != "total" && $1 > 300 {print "long module:", $1, $2}'
git ls-files 'templates/*' | xargs wc -l | awk '$2 != "total" && $1 > 80 {print "long template:", $1, $2}'
.venv/bin/python tests/view_sizes.py
exit 0

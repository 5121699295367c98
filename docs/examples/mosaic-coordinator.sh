#!/bin/sh
# Calls the bot's commands as the service does: as its user, in its folder, with its settings.
# Put it into place as /usr/local/sbin/mosaic-coordinator; see docs/install.md.
set -e
env=/etc/mosaic-coordinator/env
if [ -f "$env" ]; then
    set -a
    . "$env"
fi
cd /var/lib/mosaic-coordinator
exec runuser -u mosaic-coordinator -- /opt/mosaic-coordinator/bin/mosaic-coordinator "$@"

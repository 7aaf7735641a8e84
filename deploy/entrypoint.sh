#!/bin/sh
# Be a worker where an engine starts the container, which it does with options of its own, and the command line elsewhere.
set -eu
for argument in "$@"; do
    case $argument in
        --id | --id=* | --worker_pool | --worker_pool=*) exec /opt/apache/beam/boot "$@" ;;
    esac
done
exec wirewatch "$@"

#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure from configure.ac; needs the Debian packages autoconf, automake and pkg-config.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --force "$@"

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that holds the version. meson.build reads it from here for the
 * sonames, the .pc files and the man pages.
 */
#ifndef DAV2M_VERSION_H
#define DAV2M_VERSION_H

#define DAV2M_VERSION "0.1.0"

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m: shadow or nested paging, decided while the virtual machine runs.
 *
 * Conventions, for every header of this library:
 *  - the caller owns all storage; nothing is allocated, and no object but a domain holds a
 *    pointer;
 *  - a call answers 0 or a negative enum dav2m_error, and an error changes nothing;
 *  - results come last and are named ret_...;
 *  - units are in the names: _cycles, _ticks, _bp (basis points, 1/10000); counts have none;
 *  - 0 is a value like any other and never means "default";
 *  - the same calls in the same order give the same decisions, on every machine.
 */
#ifndef DAV2M_H
#define DAV2M_H

#include <dav2m/backend.h>
#include <dav2m/base.h>
#include <dav2m/config.h>
#include <dav2m/controller.h>
#include <dav2m/domain.h>
#include <dav2m/sample.h>
#include <dav2m/version.h>

#endif

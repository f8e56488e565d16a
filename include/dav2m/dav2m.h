/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m: shadow or nested paging, decided while the virtual machine runs.
 *
 * Conventions, for every header of this library:
 *  - the caller owns all storage; nothing is allocated, and no object but a domain holds a
 *    pointer;
 *  - a copy of a controller's bytes is a checkpoint, for the same build of the library. Calls trust
 *    it but for its magic number: whoever moves or keeps one sees to it that no byte changes. After
 *    restoring one call dav2m_rebase(), unless the counters were restored with it;
 *  - one object but a domain is used by one thread at a time, and no call on it, nor on a vCPU of a
 *    domain, may interrupt another, not even dav2m_paging_exits(): a handler (PMI, NMI) sets a
 *    flag, and the run loop makes the call;
 *  - paging exits must be counted; what else each judge needs says <dav2m/sample.h>;
 *  - a call answers 0 or a negative enum dav2m_error, and an error changes nothing unless the
 *    call's contract says what;
 *  - results come last and are named ret_...;
 *  - units are in the names: _cycles, _ticks, _bp (basis points, 1/10000); counts have none;
 *  - 0 is a value like any other and never means "default"; where it means "unknown", the contract
 *    says so;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m-sim: native, shadow and nested paging, simulated reference by reference.
 * docs/simulator.md explains the model and its limits.
 */
#ifndef DAV2M_SIM_H
#define DAV2M_SIM_H

#include <dav2m/sim/champsim.h>
#include <dav2m/sim/cost.h>
#include <dav2m/sim/din.h>
#include <dav2m/sim/guest.h>
#include <dav2m/sim/join.h>
#include <dav2m/sim/lackey.h>
#include <dav2m/sim/machine.h>
#include <dav2m/sim/memory_trace.h>
#include <dav2m/sim/routine.h>
#include <dav2m/sim/run.h>
#include <dav2m/sim/smp.h>
#include <dav2m/sim/stream.h>
#include <dav2m/sim/workload.h>

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdav2m-kvm: counters of KVM guests for libdav2m, and switching where it can be done.
 */
#ifndef DAV2M_KVM_KVM_H
#define DAV2M_KVM_KVM_H

#include <dav2m/dav2m.h>
#include <dav2m/kvm/drive.h>
#include <dav2m/kvm/fault.h>
#include <dav2m/kvm/guest.h>
#include <dav2m/kvm/host.h>
#include <dav2m/kvm/perf.h>
#include <dav2m/kvm/reload.h>
#include <dav2m/kvm/state.h>
#include <dav2m/kvm/stats.h>
#include <dav2m/kvm/vcpu.h>

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of Palacios that the extension calls, as the fake offers them. Also included
 * after the headers of a real tree: a declaration that differs does not compile there.
 */
#ifndef FAKE_PROTOTYPES_H
#define FAKE_PROTOTYPES_H

extern struct v3_pmu_iface *palacios_pmu;
extern v3_cpu_arch_t v3_mach_type;

void *memset(void *s, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
size_t strlen(const char *s);
int strcmp(const char *s1, const char *s2);
int strncmp(const char *s1, const char *s2, size_t limit);

char *v3_cfg_val(v3_cfg_tree_t *tree, char *tag);

v3_cpu_mode_t v3_get_vm_cpu_mode(struct guest_info *info);
v3_mem_mode_t v3_get_vm_mem_mode(struct guest_info *info);

int v3_activate_shadow_pt(struct guest_info *info);
void delete_page_tables_32pae(pdpe32pae_t *pdpe);
void delete_page_tables_64(pml4e64_t *pml4);

void v3_read_lock(v3_rw_lock_t *lock);
void v3_read_unlock(v3_rw_lock_t *lock);

int v3_register_shadow_paging_event_callback(struct v3_vm_info *vm,
					     int (*callback)(struct guest_info *core,
							     struct v3_shdw_pg_event *event,
							     void *priv_data),
					     void *priv_data);
int v3_unregister_shadow_paging_event_callback(struct v3_vm_info *vm,
					       int (*callback)(struct guest_info *core,
							       struct v3_shdw_pg_event *event,
							       void *priv_data),
					       void *priv_data);
int v3_register_passthrough_paging_event_callback(struct v3_vm_info *vm,
						  int (*callback)(struct guest_info *core,
								  struct v3_passthrough_pg_event *,
								  void *priv_data),
						  void *priv_data);
int v3_unregister_passthrough_paging_event_callback(
	struct v3_vm_info *vm,
	int (*callback)(struct guest_info *core, struct v3_passthrough_pg_event *, void *priv_data),
	void *priv_data);
int v3_register_nested_paging_event_callback(struct v3_vm_info *vm,
					     int (*callback)(struct guest_info *core,
							     struct v3_nested_pg_event *,
							     void *priv_data),
					     void *priv_data);
int v3_unregister_nested_paging_event_callback(struct v3_vm_info *vm,
					       int (*callback)(struct guest_info *core,
							       struct v3_nested_pg_event *,
							       void *priv_data),
					       void *priv_data);

struct v3_timer *v3_add_timer(struct guest_info *info, struct v3_timer_ops *ops,
			      void *private_data);

int v3_register_hypercall(struct v3_vm_info *vm, hcall_id_t hypercall_id,
			  int (*hypercall)(struct guest_info *info, hcall_id_t hcall_id,
					   void *priv_data),
			  void *priv_data);
int v3_remove_hypercall(struct v3_vm_info *vm, hcall_id_t hypercall_id);

struct vm_device *v3_add_device(struct v3_vm_info *vm, char *name, struct v3_device_ops *ops,
				void *private_data);

void v3_pmu_init(void);
void v3_pmu_deinit(void);
int v3_pmu_start_tracking(v3_pmon_ctr_t ctr);
int v3_pmu_stop_tracking(v3_pmon_ctr_t ctr);
uint64_t v3_pmu_get_value(v3_pmon_ctr_t ctr);

#ifdef FAKE_TYPES_H
/* An inline function in Palacios. */
uint64_t v3_get_host_time(struct vm_core_time *t);
#endif

#endif

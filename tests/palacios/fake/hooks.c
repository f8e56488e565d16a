/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake: what an extension hooks into: paging events, timers, hypercalls, devices. See inside.h.
 */
#include "inside.h"

/* Lists of callbacks. */

struct callback {
	struct list_head node; /* first: a node is its callback */
	void (*fn)(void);
	void *priv;
};

void fake_list_init(struct list_head *head)
{
	head->next = head->prev = head;
}

static int list_put(struct list_head *head, void (*fn)(void), void *priv)
{
	struct callback *cb;

	if (fake.torn_down)
		fake_wrong();
	cb = fake_host_malloc(sizeof(*cb));
	if (!cb)
		return -1;
	cb->fn = fn;
	cb->priv = priv;
	cb->node.next = head->next;
	cb->node.prev = head;
	head->next->prev = &cb->node;
	head->next = &cb->node;
	return 0;
}

static void list_drop(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	fake_host_free(node);
}

static int list_take(struct list_head *head, void (*fn)(void), void *priv)
{
	struct list_head *node;

	if (fake.torn_down) /* the lock is gone */
		fake_wrong();
	for (node = head->next; node != head; node = node->next) {
		struct callback *cb = (struct callback *)node;

		if (cb->fn == fn && cb->priv == priv) {
			list_drop(node);
			return 0;
		}
	}
	fake_wrong();
	return -1;
}

void fake_list_clear(struct list_head *head)
{
	while (head->next != head)
		list_drop(head->next);
}

void v3_read_lock(v3_rw_lock_t *lock)
{
	lock->reader_count++;
	fake.lock_depth++;
}

void v3_read_unlock(v3_rw_lock_t *lock)
{
	lock->reader_count--;
	fake.lock_depth--;
}

#define CALLBACKS(kind, state)                                                                     \
	typedef int (*kind##_fn)(struct guest_info *, struct v3_##kind##_pg_event *, void *);      \
	void fake_dispatch_##kind(struct guest_info *core, int type, int order)                    \
	{                                                                                          \
		struct v3_##kind##_pg_event event;                                                 \
		struct list_head *node;                                                            \
                                                                                                   \
		event.event_type = type;                                                           \
		event.event_order = order;                                                         \
		v3_read_lock(&fake.vm.state.event_callback_lock);                                  \
		for (node = fake.vm.state.event_callback_list.next;                                \
		     node != &fake.vm.state.event_callback_list; node = node->next)                \
			((kind##_fn)((struct callback *)node)->fn)(                                \
				core, &event, ((struct callback *)node)->priv);                    \
		v3_read_unlock(&fake.vm.state.event_callback_lock);                                \
	}
CALLBACKS(shdw, shdw_impl)
CALLBACKS(passthrough, passthrough_impl)
CALLBACKS(nested, nested_impl)

typedef void (*any_fn)(void);

int v3_register_shadow_paging_event_callback(struct v3_vm_info *v, shdw_fn fn, void *priv)
{
	return list_put(&v->shdw_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_shadow_paging_event_callback(struct v3_vm_info *v, shdw_fn fn, void *priv)
{
	return list_take(&v->shdw_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_register_passthrough_paging_event_callback(struct v3_vm_info *v, passthrough_fn fn,
						  void *priv)
{
	return list_put(&v->passthrough_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_passthrough_paging_event_callback(struct v3_vm_info *v, passthrough_fn fn,
						    void *priv)
{
	return list_take(&v->passthrough_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_register_nested_paging_event_callback(struct v3_vm_info *v, nested_fn fn, void *priv)
{
	return list_put(&v->nested_impl.event_callback_list, (any_fn)fn, priv);
}
int v3_unregister_nested_paging_event_callback(struct v3_vm_info *v, nested_fn fn, void *priv)
{
	return list_take(&v->nested_impl.event_callback_list, (any_fn)fn, priv);
}

/* Timers, hypercalls, devices. */

struct v3_timer {
	struct v3_timer_ops *ops;
	void *priv;
};

struct v3_timer *v3_add_timer(struct guest_info *info, struct v3_timer_ops *ops, void *priv)
{
	struct v3_timer *timer = fake_host_malloc(sizeof(*timer));

	if (!timer)
		return NULL;
	timer->ops = ops;
	timer->priv = priv;
	info->time_state.timers = timer;
	return timer;
}

void fake_update_timers(struct guest_info *core)
{
	struct v3_timer *timer = core->time_state.timers;

	if (timer)
		timer->ops->update_timer(core, 0, 0, timer->priv);
}

int v3_register_hypercall(struct v3_vm_info *v, hcall_id_t id,
			  int (*fn)(struct guest_info *, hcall_id_t, void *), void *priv)
{
	(void)v;
	if (fake_fails())
		return -1;
	fake.hypercall.taken = 1;
	fake.hypercall.id = (fake_u64)id;
	fake.hypercall.fn = fn;
	fake.hypercall.priv = priv;
	return 0;
}

int v3_remove_hypercall(struct v3_vm_info *v, hcall_id_t id)
{
	(void)v;
	if (!fake.hypercall.taken || fake.hypercall.id != (fake_u64)id)
		fake_wrong();
	fake.hypercall.taken = 0;
	return 0;
}

struct vm_device *v3_add_device(struct v3_vm_info *v, char *name, struct v3_device_ops *ops,
				void *priv)
{
	struct vm_device *fresh = fake_host_malloc(sizeof(*fresh));

	(void)v;
	(void)name;
	if (!fresh)
		return NULL;
	fresh->ops = ops;
	fresh->priv = priv;
	fake.device = fresh;
	return fresh;
}

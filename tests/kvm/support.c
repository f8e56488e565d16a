/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A statistics file in memory, and running a suite.
 */
#include "support.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_BYTES 32u

int support_run(const char *name, const TTest *const *tests, size_t n, int timeout_s)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, timeout_s);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

static uint32_t data_offset(uint32_t n)
{
	return (uint32_t)sizeof(struct kvm_stats_header) + NAME_BYTES +
	       n * ((uint32_t)sizeof(struct kvm_stats_desc) + NAME_BYTES);
}

int support_stats(const struct support_stat *stats, uint32_t n)
{
	struct kvm_stats_header header = {.name_size = NAME_BYTES,
					  .num_desc = n,
					  .id_offset = sizeof(header),
					  .desc_offset = sizeof(header) + NAME_BYTES,
					  .data_offset = data_offset(n)};
	int fd = memfd_create("stats", 0);

	ck_assert(fd >= 0);
	ck_assert(pwrite(fd, &header, sizeof(header), 0) == sizeof(header));
	for (uint32_t i = 0; i < n; i++) {
		struct kvm_stats_desc desc = {.flags = stats[i].flags, .size = 1, .offset = i * 8};
		char name[NAME_BYTES] = "";
		off_t at = (off_t)(header.desc_offset + i * (sizeof(desc) + sizeof(name)));

		snprintf(name, sizeof(name), "%s", stats[i].name);
		ck_assert(pwrite(fd, &desc, sizeof(desc), at) == sizeof(desc));
		ck_assert(pwrite(fd, name, sizeof(name), at + (off_t)sizeof(desc)) == sizeof(name));
		support_stats_set(fd, n, i, stats[i].value);
	}
	return fd;
}

void support_stats_set(int fd, uint32_t n, uint32_t index, uint64_t value)
{
	off_t at = (off_t)(data_offset(n) + index * sizeof(value));

	ck_assert(pwrite(fd, &value, sizeof(value), at) == sizeof(value));
}

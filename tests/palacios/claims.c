/* SPDX-License-Identifier: BSD-2-Clause */
/* The half of the comparison in real_tree.c that has to run. */
#include <stdio.h>

int fake_vmcb_differences(void);

int main(void)
{
	const int different = fake_vmcb_differences();

	if (different)
		fprintf(stderr, "%d VMCB fields are not where the fake has them\n", different);
	return different ? 1 : 0;
}
